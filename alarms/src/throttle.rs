//! Errors that could come by the thousand are told once a minute.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_secs(60);

/// Lets one telling through a minute and counts the others.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told: Option<Instant>,
    untold: u64,
}

impl Throttle {
    /// How many tellings were kept back since the last one, if this one is due.
    pub(crate) fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock();
        if state.told.is_some_and(|told| now.saturating_duration_since(told) < PAUSE) {
            state.untold += 1;
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_once_a_minute_and_how_many_were_kept_back() {
        let throttle = Throttle::default();
        let begun = Instant::now();
        let due = |secs| throttle.due_at(begun + Duration::from_secs(secs));
        assert_eq!([due(0), due(1), due(59)], [Some(0), None, None]);
        assert_eq!([due(60), due(61), due(200)], [Some(2), None, Some(1)]);
    }
}
