//! A ledger as bytes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ledger::{Entry, Ledger};
use crate::totals::Totals;
use crate::valuation::Rates;

/// The format of the bytes.
const FORMAT: u32 = 2;

/// Why bytes are not a ledger of this use case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// They cannot be read.
    #[error("the ledger of `{use_case}` cannot be read: {message}")]
    Unreadable {
        /// The use case.
        use_case: String,
        /// What is wrong with them.
        message: String,
    },
    /// They are of a ledger that was declared otherwise.
    #[error("the ledger of `{use_case}` was saved with {what}; rebuild it from the log")]
    Other {
        /// The use case.
        use_case: String,
        /// What was different.
        what: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    use_case: String,
    entries: Vec<(Arc<str>, Entry)>,
    rates: Rates,
    totals: Totals,
}

impl Ledger {
    /// The ledger as bytes; the same ledger gives the same bytes.
    pub fn save(&self) -> Vec<u8> {
        let mut entries: Vec<(Arc<str>, Entry)> = self
            .entries
            .iter()
            .map(|(id, entry)| (Arc::clone(id), entry.clone()))
            .collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let saved = Saved {
            format: FORMAT,
            use_case: self.valuation.spec.use_case.clone(),
            entries,
            rates: self.rates.clone(),
            totals: self.totals.clone(),
        };
        postcard::to_stdvec(&saved).expect("a ledger consists of plain values")
    }

    /// Puts the ledger where another of the same declaration was saved; on an error it stays as
    /// it was.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        let use_case = || self.valuation.spec.use_case.clone();
        let saved: Saved =
            postcard::from_bytes(bytes).map_err(|error| LedgerError::Unreadable {
                use_case: use_case(),
                message: error.to_string(),
            })?;
        let actions = |totals: &Totals| -> Vec<String> {
            totals.actions.iter().map(|a| a.action.clone()).collect()
        };
        let differs = [
            (saved.format != FORMAT, "another format"),
            (saved.use_case != use_case(), "another use case"),
            (
                saved.totals.currency != self.totals.currency,
                "another currency",
            ),
            (
                saved.totals.truth != self.totals.truth,
                "another source of truth",
            ),
            (
                actions(&saved.totals) != actions(&self.totals),
                "other actions",
            ),
        ];
        if let Some((_, what)) = differs.into_iter().find(|(differs, _)| *differs) {
            return Err(LedgerError::Other {
                use_case: use_case(),
                what,
            });
        }
        let due = saved
            .entries
            .iter()
            .map(|(id, entry)| (self.next_due(entry), Arc::clone(id)));
        self.due = due.collect();
        self.entries = saved.entries.into_iter().collect();
        self.rates = saved.rates;
        self.totals = saved.totals;
        Ok(())
    }
}
