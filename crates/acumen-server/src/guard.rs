//! What stands before every route: so many requests at once, each for so long, and no panic
//! that reaches beyond its own request.

use std::any::Any;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use acumen_base::limits::BODY_BYTES_MAX;
use acumen_engine::Refusal;

use crate::refused::{Refused, SEND_LESS};

/// Requests that may be under way at once; the next one is answered 429.
pub const REQUESTS_MAX: usize = 8_192;

/// Bytes of a body that is too long which are read past before it is refused.
pub const READ_PAST_MAX: u64 = 64 * 1024 * 1024;

/// How long any request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The places of the requests that are under way.
pub(crate) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(REQUESTS_MAX))
}

/// Answers for a request that found no place, or took too long.
pub(crate) async fn guard(
    State(places): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(_place) = places.try_acquire() else {
        return Refused::from(Refusal::Overloaded).into_response();
    };
    let answer = async {
        match declared_length(&request) > BODY_BYTES_MAX as u64 {
            true => too_long(request).await,
            false => next.run(request).await,
        }
    };
    match tokio::time::timeout(REQUEST_TIMEOUT, answer).await {
        Ok(response) => response,
        Err(_elapsed) => {
            let message = format!("not answered within {} s", REQUEST_TIMEOUT.as_secs());
            let help = "send the same event again: it is decided on once";
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", message, help).into_response()
        }
    }
}

fn declared_length(request: &Request) -> u64 {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}

/// Refuses a long body before it is read. A client that sends it without asking first would not
/// see the answer on a connection that is closed upon it, so that some of it is read past.
async fn too_long(request: Request) -> Response {
    let length = declared_length(&request);
    let asks_first = request.headers().contains_key(header::EXPECT);
    if !asks_first && length <= READ_PAST_MAX {
        let mut body = request.into_body();
        while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
    }
    let message = format!("the body has {length} bytes, and {BODY_BYTES_MAX} are the most");
    Refused::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_long",
        message,
        SEND_LESS,
    )
    .into_response()
}

/// The answer to a request that panicked.
pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response {
    let failed = Refusal::Failed("this request failed in the server".to_owned());
    Refused::from(failed).into_response()
}
