//! What the demonstration shows while it runs.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;

use acumen_base::Time;
use acumen_engine::MoneyStatus;

use crate::demo::stream::lock;
use crate::demo::tally::{Judge, Tally};
use crate::failure::Outcome;
use crate::output::{amount, percent, say, thousands};

/// Seconds between two lines where there is no terminal.
const LINE_EVERY: u64 = 5;

/// A panel that is drawn in place on a terminal, or a line now and then.
pub(crate) struct Panel {
    terminal: bool,
    drawn: usize,
    printed: u64,
}

/// What there is to show.
pub(crate) struct View<'a> {
    pub(crate) seconds: u64,
    pub(crate) of: Option<u64>,
    pub(crate) now: Time,
    pub(crate) tally: &'a Mutex<Tally>,
    pub(crate) judge: &'a Judge,
    /// What the engine knows of the truth so far: what was reported to it.
    pub(crate) reported: Option<MoneyStatus>,
    pub(crate) url: String,
    pub(crate) over: bool,
}

impl Panel {
    /// Nothing drawn yet.
    pub(crate) fn new() -> Panel {
        Panel {
            terminal: std::io::stdout().is_terminal(),
            drawn: 0,
            printed: 0,
        }
    }

    /// Shows where things stand.
    pub(crate) fn show(&mut self, view: &View<'_>) -> Outcome {
        if !self.terminal {
            if view.seconds < self.printed + LINE_EVERY {
                return Ok(());
            }
            self.printed = view.seconds;
            return say(view.line());
        }
        let lines = view.lines(true);
        let mut text = String::new();
        if self.drawn > 0 {
            // Up to the first line, and clear everything below.
            text.push_str(&format!("\x1b[{}A\x1b[J", self.drawn));
        }
        // Meanwhile long lines are cut off: a line is one line, whatever the width.
        text.push_str("\x1b[?7l");
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("\x1b[?7h");
        self.drawn = lines.len();
        let mut out = std::io::stdout().lock();
        // A terminal that has gone away needs no panel.
        let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        Ok(())
    }

    /// What it came to, at the end.
    pub(crate) fn summary(&mut self, view: &View<'_>) -> Outcome {
        let mut text = String::new();
        if self.terminal && self.drawn > 0 {
            // In the place of the last panel.
            text = format!("\x1b[{}A\x1b[J", self.drawn);
        }
        text.push_str(&view.lines(false).join("\n"));
        say(text)
    }
}

impl View<'_> {
    /// One line for a log.
    fn line(&self) -> String {
        let tally = lock(self.tally);
        let saved = self
            .judge
            .saved
            .map_or_else(String::new, |saved| format!(", saved {}", amount(saved)));
        format!(
            "{:>4} s  world at {}: {} events, {} decisions ({}), {}{saved}, precision {} recall {}, {} refused",
            self.seconds,
            self.clock(),
            thousands(tally.events),
            thousands(self.judge.decisions()),
            self.actions(),
            tally.overall.describe(),
            percent(self.judge.precision()),
            percent(self.judge.recall()),
            tally.refused.values().sum::<u64>(),
        )
    }

    /// The panel; while it is live, also where to look.
    fn lines(&self, live: bool) -> Vec<String> {
        let tally = lock(self.tally);
        let rate = tally.events as f64 / self.seconds.max(1) as f64;
        let of = self
            .of
            .map_or_else(|| "; Ctrl-C ends it".to_owned(), |of| format!(" of {of} s"));
        let mut lines = vec![
            String::new(),
            format!(
                "  running    {} s{of}; in the world it is {}{}",
                self.seconds,
                self.clock(),
                if self.over {
                    "; every event was sent"
                } else {
                    ""
                }
            ),
            format!(
                "  events     {} ({rate:.0} a second), {} of them decided on",
                thousands(tally.events),
                thousands(self.judge.decisions())
            ),
            format!("  decisions  {}", self.actions()),
            format!(
                "  latency    {} over HTTP, from when the event was due",
                tally.overall.describe()
            ),
        ];
        lines.extend(tally.layers.iter().map(|(name, latencies)| {
            format!(
                "             {} in the layer `{name}`",
                latencies.describe()
            )
        }));
        if let Some(saved) = self.judge.saved {
            let mildest = self.judge.mildest();
            lines.push(format!(
                "  money      {} saved against always `{mildest}`, by the world's truth",
                amount(saved)
            ));
        }
        lines.push(format!(
            "  right      precision {}, recall {} of what was not `{}`, by the world's truth",
            percent(self.judge.precision()),
            percent(self.judge.recall()),
            self.judge.mildest(),
        ));
        if let Some(reported) = &self.reported {
            let open = thousands(reported.open);
            lines.push(match reported.recall {
                Some(recall) => format!(
                    "             {} of what was reported so far, {} saved; {open} decisions are open",
                    percent(Some(recall)),
                    amount(reported.saved)
                ),
                None => format!("             nothing was reported yet; {open} decisions are open"),
            });
        }
        lines.extend(
            tally
                .refused
                .iter()
                .map(|(why, count)| format!("  refused    {} {why}", thousands(*count))),
        );
        if live {
            lines.push(format!("  look       {}", self.url));
            if let Some(id) = &tally.notable {
                lines.push(format!(
                    "  why        curl -s {}/v1/decisions/{id}/explain",
                    self.url
                ));
            }
        }
        lines
    }

    fn actions(&self) -> String {
        let line = |(name, positive, negative): &(String, u64, u64)| {
            format!("{name} {}", thousands(positive + negative))
        };
        self.judge
            .actions
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The world's time to the minute.
    fn clock(&self) -> String {
        self.now
            .to_string()
            .chars()
            .take(16)
            .map(|c| if c == 'T' { ' ' } else { c })
            .collect()
    }
}
