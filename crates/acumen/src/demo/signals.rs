//! Ctrl-C: while things are set up it tidies and ends, while the stream runs it stops the stream.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::{Failure, Outcome};

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Waits for the wish to stop.
pub(crate) struct Stop {
    wished: Receiver<()>,
    streaming: Arc<AtomicBool>,
}

impl Stop {
    /// Listens for signals from here on; `temporary` is removed where setting up is interrupted.
    pub(crate) fn listen(temporary: Option<PathBuf>) -> Outcome<Stop> {
        let (sender, wished): (Sender<()>, _) = channel();
        let streaming = Arc::new(AtomicBool::new(false));
        let set_up = Arc::clone(&streaming);
        let mut signals = Signals::new([SIGINT, SIGTERM])
            .map_err(|error| Failure::because(format!("cannot listen for Ctrl-C: {error}")))?;
        std::thread::spawn(move || {
            for _ in signals.forever() {
                // The first one while streaming ends the stream; any other ends the program.
                if set_up.swap(false, Ordering::SeqCst) && sender.send(()).is_ok() {
                    continue;
                }
                if let Some(folder) = &temporary {
                    // Nothing more can be done about a folder that stays.
                    let _left_behind = std::fs::remove_dir_all(folder);
                }
                std::process::exit(INTERRUPTED);
            }
        });
        Ok(Stop { wished, streaming })
    }

    /// From here on the stream is to be stopped rather than the program.
    pub(crate) fn streaming(&self) {
        self.streaming.store(true, Ordering::SeqCst);
    }

    /// Waits this long; whether to stop.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        self.wished.recv_timeout(patience).is_ok()
    }
}
