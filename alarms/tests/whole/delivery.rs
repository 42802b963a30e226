//! What reaches a receiver, how often, and what is counted of it.

use crate::{
    alarms::{alarm, desk, desk_for},
    counts::LONG,
    receiver::{Receiver, Reply},
};
use std::time::Duration;
use themecast_alarms::{Action, Detector, Outcome, PolicyLabel, Verdict};
use tokio::net::TcpListener;

/// No attempt is too slow, pauses are short.
const QUICK: &str = "timeout_secs = 60\nbackoff_secs = 0.01";

#[tokio::test]
async fn a_signed_alarm_arrives_as_it_was_raised() {
    let mut receiver = Receiver::start(|_| Reply::Status(204)).await;
    let (desk, counts) = desk_for(&receiver, QUICK);
    let raised = alarm(1, Detector::Martingale);
    assert_eq!(desk.raise(raised.clone()), Verdict::Continue);
    let request = receiver.next().await;
    assert_eq!((request.notice.alarm, request.notice.action), (raised, Action::Webhook));
    assert_eq!(request.key, request.notice.id);
    assert!(desk.close(LONG).await);
    assert_eq!(counts.webhook(), [(Outcome::Delivered, 1)]);
}

#[tokio::test]
async fn a_receiver_that_fails_twice_gets_the_same_alarm_until_it_takes_it() {
    let failing = |n| Reply::Status(if n < 2 { 503 } else { 200 });
    let mut receiver = Receiver::start(failing).await;
    let (desk, counts) = desk_for(&receiver, QUICK);
    let _ = desk.raise(alarm(1, Detector::Martingale));
    assert!(desk.close(LONG).await);
    assert_eq!(counts.webhook(), [(Outcome::Delivered, 1), (Outcome::Retried, 2)]);
    let requests = receiver.rest();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|r| r.key == requests[0].key && r.notice == requests[0].notice));
}

#[tokio::test]
async fn attempts_come_to_an_end() {
    let mut receiver = Receiver::start(|_| Reply::Status(500)).await;
    let (desk, counts) = desk_for(&receiver, &format!("{QUICK}\nattempts = 3"));
    let _ = desk.raise(alarm(1, Detector::Martingale));
    assert!(desk.close(LONG).await);
    assert_eq!(counts.webhook(), [(Outcome::Retried, 2), (Outcome::Failed, 1)]);
    assert_eq!(receiver.rest().len(), 3);
}

/// A status that another attempt would not change.
async fn check_rejected(reply: Reply) {
    let mut receiver = Receiver::start(move |_| reply).await;
    let (desk, counts) = desk_for(&receiver, QUICK);
    let _ = desk.raise(alarm(1, Detector::Martingale));
    assert!(desk.close(LONG).await);
    assert_eq!(counts.webhook(), [(Outcome::Rejected, 1)]);
    assert_eq!(receiver.rest().len(), 1);
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again() {
    for status in [400, 401, 404, 410] {
        check_rejected(Reply::Status(status)).await;
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    check_rejected(Reply::Redirect).await;
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_it() {
    let busy = |n| if n == 0 { Reply::RetryAfter(1) } else { Reply::Status(200) };
    let mut receiver = Receiver::start(busy).await;
    let (desk, counts) = desk_for(&receiver, QUICK);
    let _ = desk.raise(alarm(1, Detector::Martingale));
    let (first, second) = (receiver.next().await, receiver.next().await);
    // The pause without being asked is 10 to 20 ms.
    assert!(second.at - first.at >= Duration::from_secs(1));
    assert!(desk.close(LONG).await);
    assert_eq!(counts.webhook(), [(Outcome::Delivered, 1), (Outcome::Retried, 1)]);
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let (desk, counts) = desk(&format!(
        "[alarms.policy]\nwatch = \"webhook\"\n[alarms.webhook]\nurl = \"http://{address}/\"\n\
         secret_env = \"A_SECRET\"\nattempts = 2\n{QUICK}"
    ));
    let _ = desk.raise(alarm(1, Detector::Watch));
    assert!(desk.close(LONG).await);
    assert_eq!(counts.webhook(), [(Outcome::Retried, 1), (Outcome::Failed, 1)]);
}

#[tokio::test]
async fn closing_delivers_what_is_queued_and_takes_nothing_more() {
    let mut receiver = Receiver::start(|_| Reply::Status(200)).await;
    let (desk, counts) = desk_for(&receiver, QUICK);
    for n in 0..50 {
        let _ = desk.raise(alarm(n, Detector::Martingale));
    }
    assert!(desk.close(LONG).await);
    assert_eq!(counts.webhook(), [(Outcome::Delivered, 50)]);
    assert_eq!(receiver.rest().len(), 50);
    let _ = desk.raise(alarm(50, Detector::Martingale));
    assert_eq!(counts.webhook(), [(Outcome::Dropped, 1), (Outcome::Delivered, 50)]);
    assert!(desk.close(LONG).await);
}

#[tokio::test]
async fn a_desk_that_is_dropped_still_delivers() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    let (desk, counts) = desk_for(&receiver, QUICK);
    for n in 0..50 {
        let _ = desk.raise(alarm(n, Detector::Martingale));
    }
    drop(desk);
    counts.until(PolicyLabel::Webhook, Outcome::Delivered, 50).await;
}
