//! Refusals as HTTP: a status, a code, what is wrong, and what to do.

use acumen_engine::Refusal;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// What to do about a body that is too long.
pub(crate) const SEND_LESS: &str =
    "send at most 8 MiB in one request; NDJSON can be cut between any two lines";

/// The body of every refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A stable code, such as `unknown_field`.
    code: String,
    /// What is wrong, naming the value.
    message: String,
    /// What to do.
    help: String,
}

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    problem: Problem,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, code: &str, message: String, help: &str) -> Refused {
        Refused {
            status,
            problem: Problem {
                code: code.into(),
                message,
                help: help.into(),
            },
        }
    }
}

impl Refused {
    /// What is wrong, without a status of its own.
    pub(crate) fn into_problem(self) -> Problem {
        self.problem
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        let (status, code, help) = match &refusal {
            Refusal::Overloaded => (
                StatusCode::TOO_MANY_REQUESTS,
                "overloaded",
                "slow down, or send in batches",
            ),
            Refusal::Closing => (
                StatusCode::SERVICE_UNAVAILABLE,
                "closing",
                "ask another server, or again later",
            ),
            Refusal::NotFound { .. } => (
                StatusCode::NOT_FOUND,
                "not_found",
                "GET /v1/status shows what there is",
            ),
            Refusal::Conflict { .. } => (
                StatusCode::CONFLICT,
                "conflict",
                "an id stands for one event for ever",
            ),
            Refusal::Invalid(_) => (
                StatusCode::BAD_REQUEST,
                "invalid",
                "GET /docs shows what every route takes",
            ),
            Refusal::NotReady(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not_ready",
                "ask again in a moment",
            ),
            Refusal::Failed(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                "report it; other requests go on",
            ),
            Refusal::Log(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "log_failed",
                "look at the disk of the server: nothing is acknowledged that is not on it",
            ),
            Refusal::Rejected(rejected) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let message = rejected.message();
                return Refused::new(status, rejected.code(), message, rejected.help());
            }
        };
        Refused::new(status, code, refusal.to_string(), help)
    }
}

impl From<BytesRejection> for Refused {
    fn from(rejection: BytesRejection) -> Refused {
        let status = rejection.status();
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "body_too_long",
            _ => "body",
        };
        Refused::new(status, code, rejection.body_text(), SEND_LESS)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.problem)).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            let soon = header::HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        response
    }
}

/// A body as JSON, whatever its content type is said to be.
pub(crate) fn json<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Refused> {
    let wrong = |error: serde_json::Error| Refusal::Invalid(error.to_string());
    Ok(serde_json::from_slice(&body?).map_err(wrong)?)
}

impl From<PathRejection> for Refused {
    fn from(rejection: PathRejection) -> Refused {
        Refusal::Invalid(rejection.body_text()).into()
    }
}

impl From<QueryRejection> for Refused {
    fn from(rejection: QueryRejection) -> Refused {
        Refusal::Invalid(rejection.body_text()).into()
    }
}

pub(crate) async fn no_such_route(uri: Uri) -> Refused {
    let message = format!("there is nothing at {}", uri.path());
    Refused::new(
        StatusCode::NOT_FOUND,
        "no_such_route",
        message,
        "GET /docs lists every route",
    )
}

pub(crate) async fn no_such_method(uri: Uri) -> Refused {
    let message = format!("{} does not take this method", uri.path());
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Refused::new(
        status,
        "no_such_method",
        message,
        "GET /docs lists every route",
    )
}
