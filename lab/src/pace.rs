//! How a long step goes: how much is done, how fast, and how long the rest will take.

use crate::{
    Result,
    dataset::{Document, DocumentReader, Load, completed_ids},
};
use std::{
    cell::Cell,
    path::Path,
    time::{Duration, Instant},
};

/// How often it is told.
const EVERY: Duration = Duration::from_secs(15);

/// The pace of one step, told every fifteen seconds and at its end.
pub(crate) struct Pace<'a> {
    what: &'a str,
    progress: &'a dyn Fn(&str),
    begun: Instant,
    told: Cell<Instant>,
}

impl<'a> Pace<'a> {
    /// A step that begins now; `what` is what it does with its parts, such as "texts embedded".
    pub(crate) fn new(what: &'a str, progress: &'a dyn Fn(&str)) -> Self {
        let begun = Instant::now();
        Self { what, progress, begun, told: Cell::new(begun) }
    }

    /// `done` parts of `all` are done.
    pub(crate) fn at(&self, done: usize, all: usize) {
        if done == all || self.told.get().elapsed() >= EVERY {
            self.told.set(Instant::now());
            (self.progress)(&line(self.what, (done, all), self.begun.elapsed()));
        }
    }
}

/// The documents of a collection, one after the other, with the pace at which they are dealt with.
pub(crate) struct Documents<'a> {
    reader: DocumentReader,
    pace: Pace<'a>,
    done: usize,
    all: usize,
}

impl<'a> Documents<'a> {
    /// Those in the folder `dir`.
    ///
    /// # Errors
    /// As [`DocumentReader::open`].
    pub(crate) fn open(dir: &Path, load: Load, progress: &'a dyn Fn(&str)) -> Result<Self> {
        let (reader, all) = (DocumentReader::open(dir, load)?, completed_ids(dir)?.len());
        Ok(Self { reader, pace: Pace::new("documents read", progress), done: 0, all })
    }
}

impl Iterator for Documents<'_> {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.reader.next();
        match &next {
            // The one before has been dealt with by now.
            Some(_) => self.pace.at(self.done, self.all.max(self.done + 1)),
            None => self.pace.at(self.done, self.done),
        }
        self.done += usize::from(next.is_some());
        next
    }
}

fn line(what: &str, (done, all): (usize, usize), took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 1.0 {
        return format!("{done} of {all} {what}");
    }
    let rate = done as f64 / seconds;
    let told = format!("{done} of {all} {what}, {rate:.2}/s");
    match (done, all.saturating_sub(done)) {
        (0, _) | (_, 0) => told,
        (_, rest) => match rest as f64 / rate {
            left if left < 90.0 => format!("{told}, {left:.0} s left"),
            left => format!("{told}, {:.0} min left", left / 60.0),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn rate_and_rest_are_told_and_the_end_always_is() {
        let at = |done, seconds| line("texts embedded", (done, 100), Duration::from_secs(seconds));
        assert_eq!(at(25, 10), "25 of 100 texts embedded, 2.50/s, 30 s left");
        assert_eq!(at(1, 10), "1 of 100 texts embedded, 0.10/s, 16 min left");
        assert_eq!(at(100, 10), "100 of 100 texts embedded, 10.00/s");
        assert_eq!(at(0, 10), "0 of 100 texts embedded, 0.00/s");
        assert_eq!(at(100, 0), "100 of 100 texts embedded");
        let told = RefCell::new(Vec::new());
        let progress = |line: &str| told.borrow_mut().push(line.to_owned());
        let pace = Pace::new("done", &progress);
        (1..=100).for_each(|done| pace.at(done, 100));
        assert_eq!(told.borrow().len(), 1);
    }
}
