//! Refusals as HTTP: a status, a code, what is wrong, and what to do.

use acumen_engine::Refusal;
use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

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
            Refusal::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found", ""),
            Refusal::Conflict { .. } => (
                StatusCode::CONFLICT,
                "conflict",
                "an id stands for one event for ever",
            ),
            Refusal::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid", ""),
            Refusal::Failed(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "failed", "report it; other requests go on")
            }
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
        let help = "send at most 8 MiB in one request; NDJSON can be cut between any two lines";
        Refused::new(status, "body", rejection.body_text(), help)
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
