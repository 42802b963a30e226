//! What a step costs at the sizes of the shipped bundle. Not run by default; on a quiet core:
//! `cargo test --release -p themecast-forecast -- --ignored --nocapture cost`.

use crate::made_up::{Sizes, numbers, sized};
use std::{hint::black_box, path::Path, sync::Arc, time::Instant};
use themecast_forecast::{ForecastPlugin, bundle::Bundle, events::Silent, linear::RowKind};
use themecast_plugin_api::{Phase, Plugin, RequestInfo, Residuals, Step};

/// SmolLM2's width, one site, 24 themes: rows of 1,804 features.
const SHIPPED: Sizes = Sizes { hidden: 576, themes: 24, horizons: 3 };
const STEPS: usize = 4_000;
/// Tokens of an answer, the prompt's end included; a segment ends every 24 tokens.
const ANSWER: usize = 240;

/// The median and the 99th percentile of `STEPS` runs, in milliseconds.
fn measured(mut run: impl FnMut(usize)) -> (f64, f64) {
    let timed = |index| {
        let started = Instant::now();
        run(index);
        started.elapsed().as_secs_f64() * 1e3
    };
    let mut millis: Vec<f64> = (0..STEPS).map(timed).collect();
    millis.sort_by(f64::total_cmp);
    (millis[STEPS / 2], millis[STEPS * 99 / 100])
}

#[test]
#[ignore = "measures time"]
fn cost_of_the_heads() {
    let bundle = sized(SHIPPED);
    let row = numbers(1, bundle.layout().len());
    let heads = bundle.predictor.heads(RowKind::Boundary);
    let mut out = Vec::new();
    let (median, p99) = measured(|_| {
        for head in heads {
            head.probabilities(black_box(&row), &mut out);
            black_box(&out);
        }
    });
    println!("{} heads, {} features: {median:.4} ms, p99 {p99:.4} ms", heads.len(), row.len());
    assert!(median < 0.2, "{median} ms");
}

#[test]
#[ignore = "measures time"]
fn cost_of_a_linear_step() {
    cost_of_a_step(sized(SHIPPED));
}

#[test]
#[ignore = "measures time"]
fn cost_of_a_step_of_the_shipped_bundle() {
    // Asked for when it runs: a build may be that of another checkout.
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = format!("{here}/../bundles/smollm2-135m-instruct/chain");
    cost_of_a_step(Bundle::load(Path::new(&folder)).unwrap());
}

fn cost_of_a_step(bundle: Bundle) {
    let sites = bundle.sites().len();
    let plugin = ForecastPlugin::new(Arc::new(bundle), Arc::new(Silent));
    let open = || plugin.open(&RequestInfo::default()).unwrap();
    let mut session = open();
    let residuals: Vec<Vec<f32>> =
        (0..16).map(|seed| numbers(seed, sites * SHIPPED.hidden)).collect();
    let (median, p99) = measured(|number| {
        let index = number % ANSWER;
        if index == 0 {
            session = open();
        }
        let step = Step {
            index,
            position: index,
            token: 1,
            text: if index.is_multiple_of(24) { ".\n\n" } else { " word" },
            phase: if index == 0 {
                Phase::Prompt { computed: 1, cached: 0 }
            } else {
                Phase::Decode
            },
            residuals: Residuals::new(&residuals[index % 16], 1, SHIPPED.hidden),
        };
        black_box(session.step(&step).unwrap());
    });
    println!("a whole step: {median:.4} ms, p99 {p99:.4} ms");
    assert!(median < 0.5, "{median} ms");
}
