//! What the isolation check finds, and requests that end before their time.

use crate::world::{MEMORY, ask, block_on, double, resident, single, tap};
use futures::StreamExt;
use themecast::host::{
    Call, Event, Host, HostError, Route,
    mistral::{Isolation, Options},
};
use themecast_plugin_api::{Positions, Site};

#[test]
fn engines_of_one_sequence_pass_the_check() {
    assert_eq!(double().isolation(), Some(Isolation::Passed));
}

/// mistral.rs 0.8.1 mixes rows of a batch on CPUs; whatever a later one does, the check and what
/// is then allowed must agree.
#[test]
fn a_batching_engine_serves_one_sequence_unless_the_check_passes() {
    let options = Options { sequences: Some(4), prefix_cache: Some(0), ..Options::default() };
    let host = block_on(crate::world::load(options));
    let found = host.isolation().unwrap();
    let capacity = if found == Isolation::Passed { 4 } else { 1 };
    block_on(async {
        let calls = (0..4).map(|_| host.generate(call(Some(64), true)));
        let started = futures::future::join_all(
            calls.map(|call| tokio::time::timeout(std::time::Duration::from_millis(300), call)),
        );
        let started = started.await;
        assert_eq!(started.iter().filter(|call| call.is_ok()).count(), capacity, "{found:?}");
    });
}

fn call(tokens: Option<usize>, streamed: bool) -> Call {
    let mut body = ask("Tell a story.", tokens.unwrap_or(400));
    body["stream"] = streamed.into();
    Call::new(Route::Chat, body)
}

async fn leave_in_the_middle(streamed: bool) {
    let host = single();
    let (tap, _recorder) = tap(&[Site::Final, Site::LayerIn(12)], Positions::Last);
    let mut events = host.generate(Call { tap: Some(tap), ..call(None, streamed) }).await.unwrap();
    if streamed {
        for _ in 0..2 {
            events.next().await.unwrap();
        }
    } else {
        let _ = tokio::time::timeout(std::time::Duration::from_millis(30), events.next()).await;
    }
}

/// An engine is held by what it writes, not by whoever reads it.
#[test]
fn a_client_that_stalls_holds_no_engine() {
    let options = Options { self_check: false, prefix_cache: Some(0), ..Options::default() };
    let host = block_on(crate::world::load(options));
    block_on(async {
        let mut stalled = host.generate(call(Some(8), true)).await.unwrap();
        stalled.next().await.unwrap();
        let other = crate::world::text(&*host, ask("Say hi.", 2), None);
        let other = tokio::time::timeout(std::time::Duration::from_secs(20), other).await;
        assert!(!other.expect("the engine is still held").is_empty());
        let rest: Vec<Event> = stalled.collect().await;
        assert!(matches!(rest.last(), Some(Event::Chunk { finish: Some(_), .. })), "{rest:?}");
    });
}

/// A request that mistral.rs's own handler abandons kills the engine in 0.8.1.
#[test]
fn an_engine_that_dies_fails_its_requests_and_is_started_again() {
    use tower::ServiceExt;
    let options = Options { self_check: false, prefix_cache: Some(0), ..Options::default() };
    let host = block_on(crate::world::load(options));
    block_on(async {
        let body = ask("Write a long story about a mountain.", 40).to_string();
        let request = axum::http::Request::post("/v1/chat/completions")
            .header("content-type", "application/json")
            .body(axum::body::Body::from(body))
            .unwrap();
        let abandoned = host.other_routes().await.unwrap().oneshot(request);
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(200), abandoned).await.is_err()
        );
        let mut waiting = host.generate(call(Some(4), true)).await.unwrap();
        // A client that reads late hears of it too, though mistral.rs starts the engine again as soon as
        // anybody asks it for something.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        drop(host.tokenize("x".to_owned()).await);
        let event = waiting.next().await;
        assert!(matches!(event, Some(Event::Failed(HostError::EngineDied))), "{event:?}");
        let again = crate::world::text(&*host, ask("Say hi.", 4), None).await;
        assert!(!again.is_empty());
        assert_eq!(host.load().dead, 0);
    });
}

#[test]
fn clients_that_leave_in_the_middle_leave_nothing_behind() {
    let host = single();
    block_on(async {
        for _ in 0..20 {
            leave_in_the_middle(true).await;
        }
        let _alone = MEMORY.lock().await;
        let before = resident();
        for round in 0..200 {
            leave_in_the_middle(round % 4 != 0).await;
        }
        // A short request comes through at once: no abandoned answer holds the engine.
        let begun = std::time::Instant::now();
        crate::world::text(&*host, ask("Say hi.", 2), None).await;
        assert!(begun.elapsed().as_secs() < 10, "the engine was still busy: {:?}", begun.elapsed());
        assert_eq!(host.live_taps(), 0);
        assert!(!host.holds_residuals());
        let grown = resident().saturating_sub(before);
        assert!(grown < 64 << 10, "{grown} kB more than before");
    });
}
