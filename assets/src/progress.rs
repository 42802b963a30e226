//! How a download shows where it is.

use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;

/// Is told how far a download is.
pub trait Progress: Sync {
    /// `what` begins, of `total` bytes.
    fn started(&self, what: &str, total: u64);
    /// That many further bytes are there.
    fn advanced(&self, bytes: u64);
    /// It is done.
    fn done(&self);
}

/// Bars on a terminal: rate and time left.
#[derive(Default)]
pub struct Bars(Mutex<Option<ProgressBar>>);

impl Bars {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(mut bar) = self.0.lock() {
            act(&mut bar);
        }
    }
}

impl Progress for Bars {
    fn started(&self, what: &str, total: u64) {
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
        let bar = ProgressBar::new(total).with_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        self.with(|shown| *shown = Some(bar));
    }

    fn advanced(&self, bytes: u64) {
        self.with(|shown| {
            if let Some(bar) = shown {
                bar.inc(bytes);
            }
        });
    }

    fn done(&self) {
        self.with(|shown| {
            if let Some(bar) = shown.take() {
                bar.finish();
            }
        });
    }
}

/// One line when something begins; for logs and pipes.
#[derive(Default)]
pub struct Lines(());

impl Progress for Lines {
    fn started(&self, what: &str, total: u64) {
        eprintln!("{what}: {} MB", total >> 20);
    }

    fn advanced(&self, _bytes: u64) {}

    fn done(&self) {}
}
