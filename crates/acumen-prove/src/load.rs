//! Clients that send and remember what was acknowledged.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::Client;
use crate::report::Failure;

/// A decision as its answer tells it; numbers by their bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// What to do.
    pub(crate) action: String,
    /// The bits of the score.
    pub(crate) score: Option<u64>,
    /// The bits of the probability.
    pub(crate) probability: Option<u64>,
}

impl Told {
    /// Reads an answer.
    pub(crate) fn read(body: &[u8]) -> Result<Told, Failure> {
        let answer: Value = serde_json::from_slice(body)?;
        let bits = |name: &str| answer[name].as_f64().map(f64::to_bits);
        let action = answer["action"].as_str();
        let action = action.ok_or_else(|| Failure::new(format!("no action in {answer}")))?;
        Ok(Told {
            action: action.to_owned(),
            score: bits("score"),
            probability: bits("probability"),
        })
    }

    /// What the log says of a decision.
    pub(crate) fn of(decision: &acumen_base::Decision) -> Told {
        Told {
            action: decision.action.clone(),
            score: decision.score.map(f64::to_bits),
            probability: decision.probability.map(f64::to_bits),
        }
    }
}

/// What one client was told.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    /// By the id of the event.
    pub(crate) decisions: BTreeMap<String, Told>,
    /// Ids of events that were only logged.
    pub(crate) events: Vec<String>,
    /// Answers that told something else than the one before to the same event.
    pub(crate) contradictions: u64,
    /// Requests that were refused because the server was busy or closing.
    pub(crate) refused: u64,
}

impl Acknowledged {
    /// Notes the answer to a request for a decision.
    pub(crate) fn decided(&mut self, id: &str, told: &Told) {
        let first = self
            .decisions
            .entry(id.to_owned())
            .or_insert_with(|| told.clone());
        self.contradictions += u64::from(first != told);
    }

    /// Takes what another client was told.
    pub(crate) fn add(&mut self, other: Acknowledged) {
        self.decisions.extend(other.decisions);
        self.events.extend(other.events);
        self.contradictions += other.contradictions;
        self.refused += other.refused;
    }
}

/// How a request ended that is not a failure of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was acknowledged and noted.
    Told,
    /// The server asked to come again.
    Busy,
    /// The server was gone before it answered.
    Gone,
}

/// Asks for a decision and notes the answer.
pub(crate) fn decide(
    client: &mut Client,
    path: &str,
    id: &str,
    body: &[u8],
    noted: &mut Acknowledged,
) -> Result<Ended, Failure> {
    let Ok((status, answer)) = client.post(path, body) else {
        return Ok(Ended::Gone);
    };
    match status {
        200 => {
            noted.decided(id, &Told::read(answer)?);
            Ok(Ended::Told)
        }
        429 | 503 => {
            noted.refused += 1;
            Ok(Ended::Busy)
        }
        _ => {
            let said = String::from_utf8_lossy(answer);
            Err(Failure::new(format!("{id} was answered {status}: {said}")))
        }
    }
}
