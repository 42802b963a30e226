//! The alarms of recent answers, bounded in memory, the oldest dropped first.

use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use themecast_alarms::Alarm;

/// How many are kept.
const KEPT: usize = 512;

/// What was raised last, without any text of answers.
#[derive(Debug, Default)]
pub struct Recent(Mutex<VecDeque<Arc<Alarm>>>);

impl Recent {
    /// Keeps `alarm` as it leaves the process, without its excerpt.
    pub(super) fn keep(&self, alarm: Alarm) {
        let alarm = alarm.bounded(false);
        let mut kept = self.0.lock();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Arc::new(alarm));
    }

    /// At most `most` of those that are `wanted`, the newest first.
    pub fn newest(&self, most: usize, wanted: impl Fn(&Alarm) -> bool) -> Vec<Arc<Alarm>> {
        let kept = self.0.lock();
        kept.iter().rev().filter(|alarm| wanted(alarm)).take(most).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use themecast_alarms::Detector;

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let recent = Recent::default();
        for number in 0..KEPT + 2 {
            let detector = if number % 2 == 0 { Detector::Watch } else { Detector::Cusum };
            let text = Some("what was written".to_owned());
            let alarm = Alarm::new(number.to_string(), "model", detector);
            recent.keep(Alarm { excerpt: text, ..alarm });
        }
        let all = recent.newest(usize::MAX, |_| true);
        assert_eq!((all.len(), all[0].completion_id.as_str()), (KEPT, "513"));
        assert_eq!(all[KEPT - 1].completion_id, "2");
        let two = recent.newest(2, |alarm| alarm.detector == Detector::Watch);
        assert_eq!(two.iter().map(|one| &*one.completion_id).collect::<Vec<_>>(), ["512", "510"]);
        assert!(all.iter().all(|alarm| alarm.excerpt.is_none()));
    }
}
