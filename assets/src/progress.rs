//! How a download shows where it is.

use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    sync::Mutex,
    time::{Duration, Instant},
};

/// Is told how far a download is.
pub trait Progress: Sync {
    /// `what` begins, of `total` bytes; 0 where that is not known.
    fn started(&self, what: &str, total: u64);
    /// That many further bytes are there.
    fn advanced(&self, bytes: u64);
    /// It is over, well or not.
    fn done(&self);
}

/// Bars where stderr is a terminal, lines elsewhere.
pub fn to_stderr() -> Box<dyn Progress> {
    match io::stderr().is_terminal() {
        true => Box::new(Bars::default()),
        false => Box::new(Lines::default()),
    }
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
        let (bar, template) = match total {
            0 => (ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}"),
            _ => (
                ProgressBar::new(total),
                "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left",
            ),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
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
                bar.abandon();
            }
        });
    }
}

/// Lines for logs and pipes: one when something begins, one every ten seconds, one at its end.
#[derive(Default)]
pub struct Lines(Mutex<Option<Running>>);

/// What is under way.
struct Running {
    what: String,
    total: u64,
    seen: u64,
    began: Instant,
    said: Instant,
}

/// How often [`Lines`] says where it is.
const SAY: Duration = Duration::from_secs(10);

impl Progress for Lines {
    fn started(&self, what: &str, total: u64) {
        match total {
            0 => eprintln!("{what}"),
            _ => eprintln!("{what}: {}", DecimalBytes(total)),
        }
        let (what, now) = (what.to_owned(), Instant::now());
        if let Ok(mut running) = self.0.lock() {
            *running = Some(Running { what, total, seen: 0, began: now, said: now });
        }
    }

    fn advanced(&self, bytes: u64) {
        let Ok(mut running) = self.0.lock() else { return };
        let Some(running) = running.as_mut() else { return };
        running.seen += bytes;
        if running.said.elapsed() >= SAY {
            running.said = Instant::now();
            let (seen, total) = (DecimalBytes(running.seen), DecimalBytes(running.total));
            eprintln!("{}: {seen} of {total}", running.what);
        }
    }

    fn done(&self) {
        let Ok(mut running) = self.0.lock() else { return };
        if let Some(running) = running.take() {
            eprintln!("{}: {:.1} s", running.what, running.began.elapsed().as_secs_f64());
        }
    }
}
