//! What each policy leads to, and what is counted.

use crate::{
    alarms::{alarm, desk, desk_for},
    counts::LONG,
    receiver::{Receiver, Reply},
};
use std::sync::Arc;
use themecast_alarms::{Action, Config, Desk, Detector, Outcome, PolicyLabel, Silent, Verdict};

const ALL: &str = r#"
[alarms.policy]
martingale = "stop"
cusum = "shadow"
page_hinkley = "shadow_webhook"
out_of_distribution = "off"
"#;

#[test]
fn each_policy_has_its_verdict_and_its_count() {
    // Without webhook and log no runtime is needed.
    let (desk, counts) = desk(ALL);
    let check = |detector, verdict, counted: (PolicyLabel, Outcome)| {
        assert_eq!(desk.raise(alarm(1, detector)), verdict);
        assert_eq!(counts.of(counted.0, counted.1), 1, "{counted:?}");
    };
    check(Detector::Martingale, Verdict::Stop, (PolicyLabel::Stop, Outcome::Done));
    check(Detector::Cusum, Verdict::Continue, (PolicyLabel::Shadow, Outcome::WouldStop));
    check(Detector::PageHinkley, Verdict::Continue, (PolicyLabel::Shadow, Outcome::WouldWebhook));
    check(Detector::Watch, Verdict::Continue, (PolicyLabel::Annotate, Outcome::Done));
    assert!(!desk.wants_text());
}

#[test]
fn off_is_not_even_counted() {
    let (desk, counts) = desk(ALL);
    assert_eq!(desk.raise(alarm(1, Detector::OutOfDistribution)), Verdict::Continue);
    assert!(counts.is_empty());
}

#[test]
fn without_a_configuration_alarms_are_left_to_annotations() {
    let desk = Desk::open(&Config::default(), Arc::new(Silent)).unwrap();
    assert_eq!(desk.raise(alarm(1, Detector::Martingale)), Verdict::Continue);
}

#[tokio::test]
async fn a_shadow_sends_nothing() {
    let mut receiver = Receiver::start(|_| Reply::Status(200)).await;
    let (desk, counts) = desk_for(&receiver, "timeout_secs = 60");
    for n in 0..10 {
        assert_eq!(desk.raise(alarm(n, Detector::OutOfDistribution)), Verdict::Continue);
    }
    let _ = desk.raise(alarm(10, Detector::Martingale));
    assert!(desk.close(LONG).await);
    let requests = receiver.rest();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].notice.action, Action::Webhook);
    assert_eq!(counts.of(PolicyLabel::Shadow, Outcome::WouldWebhook), 10);
}

#[test]
fn labels_are_told_apart() {
    let policies: std::collections::BTreeSet<_> =
        PolicyLabel::ALL.into_iter().map(PolicyLabel::as_str).collect();
    let outcomes: std::collections::BTreeSet<_> =
        Outcome::ALL.into_iter().map(Outcome::as_str).collect();
    assert_eq!((policies.len(), outcomes.len()), (4, 10));
}
