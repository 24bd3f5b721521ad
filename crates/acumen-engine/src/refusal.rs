//! Why a request got no answer, said so that the caller knows what to do.

use acumen_event::Rejected;

use crate::error::EngineError;

/// What a request is answered with: a value or a refusal, exactly once.
pub type Reply<T> = Box<dyn FnOnce(Result<T, Refusal>) + Send>;

/// Why a request got no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// Too many requests are waiting.
    #[error("too many requests are waiting: try again in a moment")]
    Overloaded,
    /// The engine is closing.
    #[error("the server is shutting down: send the request to another one, or again later")]
    Closing,
    /// What was asked for is not there.
    #[error("{what}")]
    NotFound {
        /// What is not there, by name, with the nearest name that is.
        what: String,
    },
    /// The body is not an event of the kind that was asked for.
    #[error("the event was refused: {0}")]
    Rejected(Box<Rejected>),
    /// An event of the same id but another body is in the log.
    #[error(
        "`{id}` is already in the log with another body (at position {position}): \
         send a new id for a new event, or the same body to ask again"
    )]
    Conflict {
        /// The id.
        id: String,
        /// Where the first one stands.
        position: u64,
    },
    /// The request is of the wrong shape.
    #[error("{0}")]
    Invalid(String),
    /// It takes longer than there was time: asked again it goes on.
    #[error("{0}")]
    NotReady(String),
    /// Something in the engine itself failed.
    #[error("{0}")]
    Failed(String),
    /// The log could not be written or read.
    #[error("{0}")]
    Log(String),
}

impl Refusal {
    /// A thing of some kind that is not there, with the names that are.
    pub fn unknown<'a>(
        kind: &str,
        name: &str,
        valid: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Refusal {
        let mut what = format!("there is no {kind} `{name}`");
        match acumen_base::nearest(name, valid.clone()) {
            Some(near) => what.push_str(&format!("; did you mean `{near}`?")),
            None => {
                let names: Vec<&str> = valid.into_iter().collect();
                what.push_str(&format!("; there is {}", names.join(", ")));
            }
        }
        Refusal::NotFound { what }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Refusal {
        let text = error.to_string();
        match error {
            EngineError::NotFound(_) => Refusal::NotFound { what: text },
            EngineError::NotReady(_) => Refusal::NotReady(text),
            EngineError::Closed(_) => Refusal::Closing,
            EngineError::Log(_) | EngineError::File { .. } => Refusal::Log(text),
            _ => Refusal::Invalid(text),
        }
    }
}
