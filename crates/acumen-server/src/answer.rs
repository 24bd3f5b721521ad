//! From the engine's callbacks and blocking calls to futures, and what requests have in common.

use std::sync::Arc;

use acumen_base::Time;
use acumen_base::time::ParseTimeError;
use acumen_engine::{Engine, Ingested, Refusal, Reply};
use axum::body::Bytes;

use crate::refused::Refused;

/// Waits for the answer that the engine gives through a callback.
pub(crate) async fn wait<T: Send + 'static>(ask: impl FnOnce(Reply<T>)) -> Result<T, Refused> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    ask(Box::new(move |answer| {
        // Nobody waits any more where the client has hung up.
        let _nobody_waits = sender.send(answer);
    }));
    let answer = receiver.await.unwrap_or(Err(Refusal::Closing));
    answer.map_err(Refused::from)
}

/// Logs the events of a body. A long one takes a while to decode: beside the threads that serve
/// requests.
pub(crate) async fn ingest(engine: &Arc<Engine>, body: Bytes) -> Result<Ingested, Refused> {
    let engine = Arc::clone(engine);
    wait(move |reply| {
        tokio::task::spawn_blocking(move || engine.ingest(&body, reply));
    })
    .await
}

/// Runs a call that blocks beside the threads that serve requests.
pub(crate) async fn blocking<T: Send + 'static>(
    engine: Arc<Engine>,
    call: impl FnOnce(&Engine) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refused> {
    let answer = tokio::task::spawn_blocking(move || call(&engine)).await;
    answer
        .unwrap_or(Err(Refusal::Closing))
        .map_err(Refused::from)
}

/// A time of a request, RFC 3339, where it is given.
pub(crate) fn time(key: &str, text: Option<&str>) -> Result<Option<Time>, Refusal> {
    let wrong = |error: ParseTimeError| Refusal::Invalid(format!("`{key}`: {error}"));
    text.map(|text| text.parse().map_err(wrong)).transpose()
}
