//! Errors that could come by the thousand are told once a minute.

use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

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
        let mut state = self.0.lock();
        if state.told.is_some_and(|told| told.elapsed() < PAUSE) {
            state.untold += 1;
            return None;
        }
        state.told = Some(Instant::now());
        Some(std::mem::take(&mut state.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tells_once_a_minute_and_how_many_were_kept_back() {
        let throttle = Throttle::default();
        assert_eq!(throttle.due(), Some(0));
        assert_eq!([throttle.due(), throttle.due()], [None, None]);
        tokio::time::advance(PAUSE).await;
        assert_eq!(throttle.due(), Some(2));
        assert_eq!(throttle.due(), None);
    }
}
