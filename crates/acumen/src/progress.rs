//! How far a long job is: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::thousands;

/// Shares of the whole after which a line is printed where there is no terminal.
const LINES: u64 = 4;

/// How far one job is.
pub(crate) struct Progress {
    label: String,
    unit: &'static str,
    bar: Option<ProgressBar>,
    printed: u64,
}

impl Progress {
    /// A job that counts something.
    pub(crate) fn new(label: impl Into<String>, unit: &'static str) -> Progress {
        let label = label.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            bar.set_style(counting());
            bar.set_prefix(label.clone());
            bar
        });
        Progress {
            label,
            unit,
            bar,
            printed: 0,
        }
    }

    /// So much is done of so much, where that is known; `note` says more.
    pub(crate) fn at(&mut self, done: u64, total: Option<u64>, note: &str) {
        if let Some(bar) = &self.bar {
            if let Some(total) = total.filter(|_| bar.length().is_none()) {
                bar.set_style(measured());
                bar.set_length(total);
            }
            bar.set_message(format!("{} {note}", self.unit));
            bar.set_position(done);
            return;
        }
        let Some(total) = total.filter(|total| *total > 0) else {
            return;
        };
        let quarter = (done * LINES).checked_div(total).unwrap_or(0);
        if quarter > self.printed {
            self.printed = quarter;
            let (done, total, unit) = (thousands(done), thousands(total), self.unit);
            eprintln!("{}: {done} of {total} {unit} {note}", self.label);
        }
    }

    /// It is done.
    pub(crate) fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn counting() -> ProgressStyle {
    let style = ProgressStyle::with_template("{prefix} {spinner} {human_pos} {msg}");
    style.expect("the template is a constant that was tried")
}

fn measured() -> ProgressStyle {
    let style = ProgressStyle::with_template(
        "{prefix} [{bar:30}] {percent}% {human_pos} of {human_len} {msg} {eta}",
    );
    style
        .expect("the template is a constant that was tried")
        .progress_chars("=> ")
}
