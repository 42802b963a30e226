//! Progress on stderr: a bar with rate and time left on a terminal, plain lines elsewhere.

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// How often a plain line is written.
const EVERY: Duration = Duration::from_secs(15);

/// The progress of one long command.
pub(super) struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    begun: Instant,
    written: Mutex<Option<Instant>>,
}

impl Progress {
    pub(super) fn new(what: impl Into<String>) -> Self {
        let what = what.into();
        let style =
            ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec}, {eta} left");
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0).with_message(what.clone());
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Self { what, bar, begun: Instant::now(), written: Mutex::new(None) }
    }

    /// `done` of `total` are done.
    pub(super) fn at(&self, done: usize, total: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            return;
        }
        let mut written = self.written.lock();
        if done < total && written.is_some_and(|written| written.elapsed() < EVERY) {
            return;
        }
        *written = Some(Instant::now());
        let rate = done as f64 / self.begun.elapsed().as_secs_f64().max(1e-9);
        let left = Duration::from_secs_f64(((total - done) as f64 / rate.max(1e-9)).min(1e9));
        let what = &self.what;
        eprintln!("{what}: {done}/{total}, {rate:.2}/s, {} left", HumanDuration(left));
    }
}
