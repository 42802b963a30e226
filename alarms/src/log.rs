//! The log of alarms: a line of JSON each.

use crate::{
    pending::{Arrivals, Pending},
    tally::Outcome,
    throttle::Throttle,
};
use futures::StreamExt;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
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
        let torn = ends_amid_a_line(path)?;
        Ok(Self { path: path.to_owned(), torn, throttle: Throttle::default() })
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

    /// One line, one write, to the file as it is named now.
    fn write(&mut self, pending: &Pending) -> io::Result<()> {
        let mut line = serde_json::to_vec(&*pending.notice)?;
        line.push(b'\n');
        self.write_line(&mut append(&self.path)?, line)
    }

    /// After a write that stopped amid a line, the next one begins with that line's end.
    fn write_line(&mut self, file: &mut impl Write, mut line: Vec<u8>) -> io::Result<()> {
        if self.torn {
            line.insert(0, b'\n');
        }
        let written = file.write(&line)?;
        if written < line.len() {
            self.torn |= written > 0;
            let message = format!("only {written} of {} bytes were written", line.len());
            return Err(io::Error::new(io::ErrorKind::WriteZero, message));
        }
        self.torn = false;
        file.flush()
    }

    fn tell(&self, error: &io::Error) {
        if let Some(untold) = self.throttle.due() {
            let path = self.path.display();
            tracing::error!(%error, %path, untold, "an alarm could not be written to the log");
        }
    }
}

/// Whether the last write of a process before this one was cut off.
fn ends_amid_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes only so many bytes a write.
    struct Nearly(Vec<u8>, usize);

    impl Write for Nearly {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.1);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_torn_by_a_process_before_is_ended_first() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let torn = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            Log::open(file.path()).unwrap().torn
        };
        assert!(!torn("") && !torn("{}\n") && torn("{}\n{\"time\":"));
    }

    #[test]
    fn a_torn_line_spoils_no_other() {
        let mut log = Log { path: PathBuf::new(), torn: false, throttle: Throttle::default() };
        let mut disk = Nearly(Vec::new(), 3);
        assert!(log.write_line(&mut disk, b"first\n".to_vec()).is_err());
        disk.1 = 0;
        assert!(log.write_line(&mut disk, b"second\n".to_vec()).is_err());
        disk.1 = 100;
        log.write_line(&mut disk, b"third\n".to_vec()).unwrap();
        log.write_line(&mut disk, b"fourth\n".to_vec()).unwrap();
        assert_eq!(String::from_utf8(disk.0).unwrap(), "fir\nthird\nfourth\n");
    }
}
