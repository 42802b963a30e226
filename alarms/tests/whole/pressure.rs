//! Receivers that are slow or silent must not be felt where alarms are raised.

use crate::{
    alarms::{alarm, desk_for},
    counts::LONG,
    receiver::{Receiver, Reply},
};
use std::time::{Duration, Instant};
use themecast_alarms::{Desk, Detector, Outcome, PolicyLabel};

/// How long raising each of `count` alarms took, the shortest first.
fn raise(desk: &Desk, count: usize) -> Vec<Duration> {
    let raise = |n| {
        let begun = Instant::now();
        let _ = desk.raise(alarm(n, Detector::Martingale));
        begun.elapsed()
    };
    let mut took: Vec<_> = (0..count).map(raise).collect();
    took.sort();
    took
}

#[tokio::test]
async fn a_slow_receiver_is_given_up_and_tried_again() {
    let slow = |n| if n == 0 { Reply::Never } else { Reply::Status(200) };
    let mut receiver = Receiver::start(slow).await;
    let more = "timeout_secs = 0.5\nbackoff_secs = 0.01\nattempts = 20";
    let (desk, counts) = desk_for(&receiver, more);
    let _ = desk.raise(alarm(0, Detector::Martingale));
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!((first.key, first.notice), (second.key, second.notice));
    assert!(desk.close(LONG).await);
    assert_eq!(counts.of(PolicyLabel::Webhook, Outcome::Delivered), 1);
    assert!(counts.of(PolicyLabel::Webhook, Outcome::Retried) >= 1);
}

#[tokio::test]
async fn a_silent_receiver_costs_the_queue_and_nothing_else() {
    let mut receiver = Receiver::start(|_| Reply::Never).await;
    let (desk, counts) = desk_for(&receiver, "timeout_secs = 60\nqueue = 16");
    // As many as are delivered at once.
    raise(&desk, 4);
    for _ in 0..4 {
        receiver.next().await;
    }
    let took = raise(&desk, 1_000);
    // The median: the machine may be busy and take its processor away from some of them.
    assert!(took[500] < Duration::from_millis(1), "{:?}", took[500]);
    assert_eq!(counts.webhook(), [(Outcome::Dropped, 984)]);
    let begun = Instant::now();
    assert!(!desk.close(Duration::from_millis(50)).await);
    assert!(begun.elapsed() < Duration::from_secs(50), "it waited for the receiver");
    // Those in the queue and those on their way.
    assert_eq!(counts.webhook(), [(Outcome::Dropped, 1_004)]);
    assert!(receiver.rest().is_empty());
}
