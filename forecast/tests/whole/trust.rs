//! A bundle that recognises prompts: where it looks, what it says, what it holds back.

use crate::made_up::{HIDDEN, THEMES, bundle, model, numbers};
use std::sync::{Arc, Mutex};
use themecast_forecast::{
    ForecastPlugin,
    bundle::Bundle,
    events::{Detector, Observer, Raised, Reaction, SegmentEnded},
    trust::{Recogniser, RecogniserCard},
};
use themecast_plugin_api::{Phase, Plugin, RequestInfo, Residuals, Site, Step};

#[derive(Default)]
struct Counts {
    distances: Vec<(f32, bool)>,
    alarms: usize,
    held_back: usize,
    segments: usize,
}

#[derive(Default)]
struct Heard(Mutex<Counts>);

impl Heard {
    /// Alarms, and alarms held back.
    fn counts(&self) -> (usize, usize) {
        let counts = self.0.lock().unwrap();
        (counts.alarms, counts.held_back)
    }
}

impl Observer for Heard {
    fn alarm(&self, event: &Raised<'_>) -> Reaction {
        assert_ne!(event.detector, Detector::Watch);
        let mut counts = self.0.lock().unwrap();
        if event.detector != Detector::OutOfDistribution {
            counts.alarms += 1;
            assert_eq!(
                counts.segments, event.segment,
                "the segment that raised it was told before"
            );
        }
        Reaction::GoOn
    }
    fn segment_ended(&self, _: &SegmentEnded<'_>) {
        self.0.lock().unwrap().segments += 1;
    }
    fn held_back(&self, _: &Raised<'_>) {
        self.0.lock().unwrap().held_back += 1;
    }
    fn residual(&self, distance: f32, out: bool) {
        self.0.lock().unwrap().distances.push((distance, out));
    }
}

/// Recognises prompts by `layer.1.in`, which is not among the features' sites.
fn recognising() -> Bundle {
    let card = RecogniserCard {
        site: Site::LayerIn(1),
        rank: 1,
        rest: 1.0,
        median_distance: 1.0,
        distance_quantile_99: 2.0,
    };
    let (mean, inverse_std, basis) = (vec![0.0; HIDDEN], vec![1.0; HIDDEN], vec![0.0; HIDDEN]);
    let recogniser = Recogniser { card: card.clone(), mean, inverse_std, basis };
    let mut bundle = Bundle { trust: Some(recogniser), ..bundle() };
    bundle.card.trust = Some(card);
    // Forecasts that are sure of one theme while another is usual: every segment surprises.
    bundle.card.reference.theme_share = vec![1.0; THEMES];
    bundle
}

/// A token of short segments.
fn step(index: usize, residuals: &[f32]) -> Step<'_> {
    Step {
        index,
        position: index,
        token: 1,
        text: if index.is_multiple_of(6) { " and so on.\n" } else { " word" },
        phase: match index {
            0 => Phase::Prompt { computed: 1, cached: 0 },
            _ => Phase::Decode,
        },
        residuals: Residuals::new(residuals, 1, HIDDEN),
    }
}

/// Runs 120 tokens whose prompt's end lies `far` deviations off at the recogniser's site; the last
/// annotation.
fn run(bundle: Bundle, far: f32) -> (Arc<Heard>, serde_json::Value) {
    let heard = Arc::new(Heard::default());
    let plugin = ForecastPlugin::new(Arc::new(bundle), heard.clone());
    let mut session = plugin.open(&RequestInfo::default()).unwrap();
    let mut last = serde_json::Value::Null;
    for index in 0..120 {
        let mut residuals = numbers(index as u64, HIDDEN);
        let other = if index == 0 { far } else { 0.0 };
        residuals.extend(std::iter::repeat_n(other, HIDDEN));
        let told = session.step(&step(index, &residuals)).unwrap().unwrap();
        last = serde_json::to_value(&told.value).unwrap();
    }
    (heard, last)
}

#[test]
fn the_prompts_end_is_judged_once_at_a_site_of_its_own() {
    let plugin = ForecastPlugin::new(Arc::new(recognising()), Arc::new(Heard::default()));
    assert_eq!(plugin.interest(&model()).unwrap().sites, [Site::Final, Site::LayerIn(1)]);
    let (heard, last) = run(recognising(), 1.5);
    let distances = heard.0.lock().unwrap().distances.clone();
    assert_eq!(distances.len(), 1, "once an answer");
    assert!((distances[0].0 - 1.5).abs() < 1e-5 && !distances[0].1);
    // Half way from the median to the 99th percentile: 0.5^(1/4).
    let trust = last["trust"]["in_distribution"].as_f64().unwrap();
    assert!((trust - 0.5f64.powf(0.25)).abs() < 1e-3, "{last}");
}

#[test]
fn alarms_about_a_prompt_that_is_not_recognised_are_held_back() {
    let (known, last) = run(recognising(), 1.0);
    let (alarms, held) = known.counts();
    assert!(alarms > 0 && held == 0, "{alarms} {held}");
    assert_eq!(last["divergence"]["alarm"], true);
    let (strange, last) = run(recognising(), 3.0);
    assert_eq!(strange.counts(), (0, alarms));
    assert_eq!(last["divergence"]["alarm"], false, "{last}");
}

/// Runs 120 tokens of a bundle without a recogniser, whose residuals lie far off until token `back`.
fn run_back(back: usize) -> Arc<Heard> {
    let mut bundle = Bundle { trust: None, ..recognising() };
    bundle.card.trust = None;
    let heard = Arc::new(Heard::default());
    let plugin = ForecastPlugin::new(Arc::new(bundle), heard.clone());
    let mut session = plugin.open(&RequestInfo::default()).unwrap();
    for index in 0..120 {
        let scale = if index < back { 20.0 } else { 1.0 };
        let residuals: Vec<f32> =
            numbers(index as u64, HIDDEN).into_iter().map(|x| x * scale).collect();
        session.step(&step(index, &residuals)).unwrap();
    }
    heard
}

#[test]
fn an_alarm_that_was_held_back_is_raised_once_the_answer_is_back() {
    let (never_away, held) = run_back(0).counts();
    assert!(never_away > 0 && held == 0, "{never_away} {held}");
    let (alarms, held) = run_back(120).counts();
    assert!(alarms == 0 && held > 0, "{alarms} {held}");
    let (alarms, held) = run_back(110).counts();
    assert!(held > 0 && alarms >= held, "each that was held back, once: {alarms} {held}");
}

#[test]
fn a_bundle_with_a_recogniser_comes_back_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let own = recognising();
    own.save(folder.path()).unwrap();
    assert_eq!(Bundle::load(folder.path()).unwrap(), own);
    let mut other = own;
    other.trust = None;
    assert!(other.save(folder.path()).unwrap_err().to_string().contains("recogniser"));
}
