//! Receivers that are down or silent must be felt by nobody but the last flush, and there only for
//! as long as is allowed.

use crate::{
    receiver::{Receiver, Reply},
    traced::{exporter_to, finished, request, subscriber, wait},
};
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};
use themecast_telemetry::{Exporter, finish, request_span, segment_span};

/// What the tests allow a flush, and how much later it may be noticed on a busy machine.
const TIMEOUT: Duration = Duration::from_millis(500);
const NOTICED: Duration = Duration::from_millis(400);

fn impatient(endpoint: &str) -> Exporter {
    exporter_to(endpoint, &format!("timeout_secs = {}", TIMEOUT.as_secs_f64()))
}

/// How long each of more requests took than can wait to be exported, the shortest first.
fn serve(exporter: &Exporter) -> Vec<Duration> {
    let serve = |_| {
        let begun = Instant::now();
        let request = request_span(request());
        drop(segment_span(&request, 0));
        finish(&request, finished(200));
        drop(request);
        begun.elapsed()
    };
    let mut took: Vec<_> =
        tracing::subscriber::with_default(subscriber(exporter), || (0..3000).map(serve).collect());
    took.sort();
    took
}

/// Whether everything was taken, how long the shutdown took and the longest time for which the
/// runtime's only thread did nothing else.
async fn shut_down(exporter: Exporter) -> (bool, Duration, Duration) {
    let begun = Instant::now();
    let (mut last, mut longest) = (begun, Duration::ZERO);
    let mut shutdown = std::pin::pin!(exporter.shutdown());
    loop {
        let taken = tokio::select! {
            taken = &mut shutdown => Some(taken),
            () = tokio::time::sleep(Duration::from_millis(5)) => None,
        };
        longest = longest.max(last.elapsed());
        last = Instant::now();
        if let Some(taken) = taken {
            return (taken, begun.elapsed(), longest);
        }
    }
}

#[track_caller]
fn not_felt(endpoint: &str) {
    let exporter = impatient(endpoint);
    let took = serve(&exporter);
    let (median, longest, all) =
        (took[took.len() / 2], took[took.len() - 1], took.iter().sum::<Duration>());
    let (taken, flush, held) = wait(shut_down(exporter));
    println!(
        "a request's spans {median:?}, longest {longest:?}, all {all:?}; flush {flush:?}, runtime \
         held for at most {held:?}"
    );
    assert!(median < Duration::from_millis(1), "{median:?}");
    assert!(all < TIMEOUT, "{all:?}");
    assert!(!taken);
    assert!(flush < TIMEOUT + NOTICED, "{flush:?}");
    assert!(held < TIMEOUT / 2, "{held:?}");
}

#[test]
fn a_silent_receiver_is_not_felt() {
    let receiver = Receiver::start(Reply::Never);
    not_felt(&receiver.endpoint);
    assert!(!receiver.batches().is_empty(), "the receiver was not even asked");
}

#[test]
fn a_receiver_that_is_down_is_not_felt() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    not_felt(&format!("http://127.0.0.1:{port}"));
}

#[test]
fn what_a_receiver_refuses_is_counted() {
    let receiver = Receiver::start(Reply::Refused);
    let exporter = exporter_to(&receiver.endpoint, "");
    let begun = Instant::now();
    // A batch goes out at once when there are 512 spans for it.
    assert_eq!(serve(&exporter).len(), 3000);
    while exporter.lost() == 0 && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(exporter.lost() >= 512, "{}", exporter.lost());
}

#[test]
fn a_flush_that_is_refused_is_told() {
    let receiver = Receiver::start(Reply::Refused);
    let exporter = exporter_to(&receiver.endpoint, "");
    tracing::subscriber::with_default(subscriber(&exporter), || drop(request_span(request())));
    assert!(!wait(exporter.shutdown()));
    assert_eq!(receiver.batches().len(), 1);
}

#[test]
fn a_flush_that_nobody_waits_for_goes_on() {
    let receiver = Receiver::start(Reply::Taken);
    let exporter = exporter_to(&receiver.endpoint, "");
    tracing::subscriber::with_default(subscriber(&exporter), || drop(request_span(request())));
    let begun = Instant::now();
    wait(async {
        let flush = exporter.shutdown();
        let _ = tokio::time::timeout(Duration::ZERO, flush).await;
    });
    while begun.elapsed() < Duration::from_secs(4) {
        if !receiver.batches().is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing came");
}

#[test]
fn an_exporter_dropped_within_a_runtime_sends_the_rest() {
    let receiver = Receiver::start(Reply::Taken);
    wait(async {
        let exporter = impatient(&receiver.endpoint);
        tracing::subscriber::with_default(subscriber(&exporter), || drop(request_span(request())));
        drop(exporter);
    });
    assert_eq!(receiver.batches().len(), 1);
}
