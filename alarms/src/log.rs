//! The log of alarms: a line of JSON each.

use crate::{
    pending::{Arrivals, Pending},
    tally::Outcome,
    throttle::Throttle,
};
use futures::StreamExt;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Appends to a file that is opened anew for every line: it may be renamed or removed at any time,
/// and after an error the next line simply tries again.
pub(crate) struct Log {
    path: PathBuf,
    /// The last write stopped amid a line.
    torn: bool,
    throttle: Throttle,
}

impl Log {
    /// # Errors
    /// When the file can't be opened for appending; it is made where it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        append(path)?;
        Ok(Self { path: path.to_owned(), torn: false, throttle: Throttle::default() })
    }

    /// Writes what arrives until nothing more can.
    pub(crate) async fn run(mut self, mut arrivals: Arrivals) {
        while let Some(pending) = arrivals.next().await {
            // Settled over there: a write goes on even if this task is given up meanwhile.
            match tokio::task::spawn_blocking(move || self.record(pending)).await {
                Ok(log) => self = log,
                Err(error) => return tracing::error!(%error, "the log of alarms has ended"),
            }
        }
    }

    fn record(mut self, pending: Pending) -> Self {
        match self.write(&pending) {
            Ok(()) => pending.settle(Outcome::Logged),
            Err(error) => {
                pending.settle(Outcome::LogFailed);
                self.tell(&error);
            }
        }
        self
    }

    /// One line, one write.
    fn write(&mut self, pending: &Pending) -> io::Result<()> {
        let mut line = if self.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, &*pending.notice)?;
        line.push(b'\n');
        let mut file = append(&self.path)?;
        let written = file.write(&line)?;
        file.flush()?;
        // A write that only managed to end the torn line has begun no other.
        self.torn =
            written < line.len() && (self.torn || written > 0) && !(self.torn && written == 1);
        if written < line.len() {
            let message = format!("only {written} of {} bytes were written", line.len());
            return Err(io::Error::new(io::ErrorKind::WriteZero, message));
        }
        Ok(())
    }

    fn tell(&self, error: &io::Error) {
        if let Some(untold) = self.throttle.due() {
            let path = self.path.display();
            tracing::error!(%error, %path, untold, "an alarm could not be written to the log");
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
