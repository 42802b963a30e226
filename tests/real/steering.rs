//! A direction that is added to the residual stream reaches every later layer, and nobody else.

use crate::world::{ask, batching, block_on, relative, single, tap, tapped};
use futures::StreamExt;
use themecast::host::{Call, Event, Host, HostError, RawStep, Route, Steering};
use themecast_plugin_api::{Positions, Site};

const AT: Site = Site::LayerIn(12);
const SITES: [Site; 3] = [Site::LayerIn(6), AT, Site::Final];
const PROMPT: &str = "Write about the sea.";

/// One long direction of the model's width.
fn steering(host: &dyn Host) -> Steering {
    let mut direction = vec![0.0; host.model().hidden_size];
    direction[7] = 1000.0;
    Steering { site: AT, direction: direction.into() }
}

async fn steered(host: &dyn Host) -> Result<Vec<RawStep>, HostError> {
    let (tap, recorder) = tap(&SITES, Positions::Last);
    let call = Call {
        tap: Some(tap),
        steering: Some(steering(host)),
        ..Call::new(Route::Chat, ask(PROMPT, 6))
    };
    let mut events = host.generate(call).await?;
    while let Some(event) = events.next().await {
        assert!(!matches!(event, Event::Failed(_)), "{event:?}");
    }
    Ok(recorder.steps())
}

/// The residual at the `site`-th of `SITES`.
fn at(step: &RawStep, site: usize) -> &[f32] {
    let width = step.residuals.len() / SITES.len();
    &step.residuals[site * width..(site + 1) * width]
}

#[test]
fn a_direction_reaches_the_later_layers_of_decoded_tokens_and_no_other_request() {
    let host = single();
    block_on(async {
        let (before, plain) = tapped(&*host, ask(PROMPT, 6), &SITES).await;
        let pushed = steered(&*host).await.unwrap();
        assert_eq!(plain[0].residuals, pushed[0].residuals, "the prompt is read as it is");
        // The first decoded token is the same in both; what lies before the site is too.
        assert_eq!(plain[1].token, pushed[1].token);
        assert!(relative(at(&plain[1], 0), at(&pushed[1], 0)) < 1e-6);
        for (site, least) in [(1, 999.0), (2, 500.0)] {
            let moved = at(&pushed[1], site)[7] - at(&plain[1], site)[7];
            assert!(moved > least, "{} moved by {moved}", SITES[site]);
        }
        let (after, _) = tapped(&*host, ask(PROMPT, 6), &SITES).await;
        assert_eq!(before, after, "the next request is not steered");
    });
}

#[test]
fn an_engine_that_batches_is_not_steered() {
    let error = block_on(steered(&*batching())).unwrap_err();
    assert!(error.to_string().contains("one sequence at a time"), "{error}");
}
