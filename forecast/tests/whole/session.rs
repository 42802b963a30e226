//! The session as a host runs it.

use crate::made_up::{HIDDEN, HORIZONS, THEMES, bundle, model, numbers};
use std::sync::{Arc, Mutex};
use themecast_forecast::{
    ForecastPlugin,
    events::{ForecastMade, Observer, SegmentEnded, Silent},
    segment::Segmenter,
};
use themecast_plugin_api::{
    Annotation, End, EndReason, Interest, ModelInfo, Phase, Plugin, PluginError, RequestInfo,
    Residuals, Session, Site, Step, Value,
};

pub(crate) const WORDS: [&str; 9] =
    [" one", " two", " three", ".", " four", " five", " six", ".", "\n"];

#[derive(Default)]
struct Counts(Mutex<(usize, usize)>);

impl Observer for Counts {
    fn forecast(&self, event: &ForecastMade<'_>) {
        assert_eq!(event.steps.len(), HORIZONS + 1);
        self.0.lock().unwrap().0 += 1;
    }

    fn segment_ended(&self, event: &SegmentEnded<'_>) {
        assert!(event.theme < THEMES && (0.0..=1.0).contains(&event.shift));
        self.0.lock().unwrap().1 += 1;
    }
}

fn open(observer: Arc<Counts>, options: Value) -> Result<Box<dyn Session>, PluginError> {
    let plugin: Box<dyn Plugin> = Box::new(ForecastPlugin::new(Arc::new(bundle()), observer));
    plugin.open(&RequestInfo { id: "r".into(), options, ..RequestInfo::default() })
}

type Told = Result<Option<Annotation>, PluginError>;

fn step_with(session: &mut dyn Session, index: usize, residual: &[f32], text: &str) -> Told {
    session.step(&Step {
        index,
        position: 20 + index,
        token: 1,
        text,
        phase: if index == 0 { Phase::Prompt { computed: 20, cached: 0 } } else { Phase::Decode },
        residuals: Residuals::new(residual, 1, residual.len()),
    })
}

fn text_at(index: usize, words: &[&'static str; 9]) -> &'static str {
    if index == 0 { "" } else { words[(index - 1) % words.len()] }
}

fn step(session: &mut dyn Session, index: usize, seed: u64) -> Told {
    step_with(session, index, &numbers(seed + index as u64, HIDDEN), text_at(index, &WORDS))
}

/// Annotations, summary, and how many forecasts and ends of segments were observed.
pub(crate) type Ran = (Vec<serde_json::Value>, serde_json::Value, (usize, usize));

/// An answer of `tokens` tokens; from token 20 on with the residuals of `seed_late` and the words
/// of `late`.
pub(crate) fn run(tokens: usize, seed_late: u64, late: &[&'static str; 9]) -> Ran {
    let counts = Arc::new(Counts::default());
    let mut session = open(counts.clone(), Value::map([("top", Value::Int(64))])).unwrap();
    let told = (0..tokens).map(|index| {
        let (seed, words) = if index < 20 { (5, &WORDS) } else { (seed_late, late) };
        let residual = numbers(seed + index as u64, HIDDEN);
        step_with(session.as_mut(), index, &residual, text_at(index, words)).unwrap().unwrap()
    });
    let told = told.map(|annotation| serde_json::to_value(&annotation.value).unwrap()).collect();
    let summary = session.end(&End { reason: EndReason::Stop, tokens }).unwrap().unwrap();
    let counted = *counts.0.lock().unwrap();
    (told, serde_json::to_value(&summary.value).unwrap(), counted)
}

#[test]
fn with_layer_norm_the_scale_of_residuals_changes_nothing() {
    let told = |layer_norm: bool, scale: f32| {
        let mut bundle = bundle();
        bundle.card.layer_norm = layer_norm;
        let plugin = ForecastPlugin::new(Arc::new(bundle), Arc::new(Silent));
        let mut session = plugin.open(&RequestInfo::default()).unwrap();
        let told = (0..30).map(|index| {
            let residual = numbers(5 + index as u64, HIDDEN).into_iter();
            let residual: Vec<f32> = residual.map(|x| scale * x).collect();
            let text = text_at(index, &WORDS);
            let told = step_with(session.as_mut(), index, &residual, text).unwrap().unwrap();
            serde_json::to_value(&told.value).unwrap().to_string()
        });
        told.collect::<Vec<_>>()
    };
    // A power of two loses no digit, and what keeps the variance above 0 is far smaller.
    let (plain, moved) = (told(true, 1024.0), told(true, 4096.0));
    assert_eq!(plain, moved);
    assert_ne!(told(false, 1.0), told(false, 4.0));
    assert_ne!(plain, told(false, 1024.0));
}

fn sum(top: &serde_json::Value) -> f64 {
    top.as_array().unwrap().iter().map(|entry| entry["p"].as_f64().unwrap()).sum()
}

#[test]
fn annotations_are_those_of_the_contract() {
    let (told, ..) = run(40, 5, &WORDS);
    for (index, note) in told.iter().enumerate() {
        let keys: Vec<&String> = note.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["token", "segment", "now", "next", "chains", "divergence", "trust"]);
        assert_eq!(note["token"], index);
        assert!((sum(&note["now"]) - 1.0).abs() < 1e-3, "{note}");
        for (ahead, next) in note["next"].as_array().unwrap().iter().enumerate() {
            assert_eq!(next["ahead"], ahead + 1);
            assert!((sum(&next["top"]) - 1.0).abs() < 1e-3);
            assert!(
                (0.0..=(THEMES as f64).ln() + 1e-3).contains(&next["entropy"].as_f64().unwrap())
            );
        }
        assert_eq!(note["chains"][0]["themes"].as_array().unwrap().len(), HORIZONS);
    }
}

#[test]
fn segments_are_those_of_the_segmenter_and_the_observer_hears_of_them() {
    let (told, summary, (forecasts, ended)) = run(40, 5, &WORDS);
    let mut segmenter = Segmenter::new(&bundle().card.segmenter);
    for (index, note) in told.iter().enumerate() {
        if index > 0 {
            segmenter.push(WORDS[(index - 1) % WORDS.len()]);
        }
        assert_eq!(note["segment"], segmenter.segment());
    }
    let segments = summary["summary"]["segments"].as_array().unwrap();
    assert_eq!(ended, segments.len());
    assert_eq!(forecasts, segmenter.segment() + 1);
}

#[test]
fn the_summary_covers_all_tokens_wherever_the_answer_ends() {
    for tokens in 2..60 {
        let (told, note, _) = run(tokens, 5, &WORDS);
        assert_eq!(note["token"], tokens - 1);
        assert_eq!(note["now"], told[tokens - 1]["now"]);
        let summary = &note["summary"];
        let keys: Vec<&String> = summary.as_object().unwrap().keys().collect();
        let wanted = ["tokens", "segments", "mean_surprise", "max_score", "alarm", "alarms"];
        // The detectors that raised an alarm are named where one did.
        assert!(keys == wanted || keys == wanted[..5], "{keys:?}");
        assert!(keys == wanted || summary["alarm"] == false, "{summary}");
        let (mut start, mut surprises) = (0, 0.0);
        let segments = summary["segments"].as_array().unwrap();
        for (number, segment) in segments.iter().enumerate() {
            let keys: Vec<&String> = segment.as_object().unwrap().keys().collect();
            let wanted = ["segment", "start", "end", "theme", "p", "surprise"];
            assert_eq!(keys, [&wanted[..], &["by_ahead", "shift", "score"]].concat());
            let by_ahead = segment["by_ahead"].as_array().unwrap();
            assert_eq!(by_ahead[0]["surprise"], segment["surprise"]);
            assert_eq!(
                by_ahead.len(),
                (number + 1).min(told[0]["next"].as_array().unwrap().len() + 1)
            );
            assert_eq!((&segment["segment"], &segment["start"]), (&number.into(), &start.into()));
            assert!(segment["end"].as_u64().unwrap() > start);
            start = segment["end"].as_u64().unwrap();
            surprises += segment["surprise"].as_f64().unwrap();
        }
        assert_eq!((start, &summary["tokens"]), (tokens as u64, &tokens.into()));
        let mean = surprises / segments.len() as f64;
        assert!((summary["mean_surprise"].as_f64().unwrap() - mean).abs() < 2e-4);
    }
}

#[test]
fn an_answer_that_was_never_read_has_no_segments() {
    let (_, note, counted) = run(1, 5, &WORDS);
    assert_eq!(note["summary"]["segments"], serde_json::json!([]));
    assert_eq!(note["summary"]["mean_surprise"], 0.0);
    assert_eq!(counted, (1, 0));
    let mut session = open(Arc::default(), Value::Null).unwrap();
    assert_eq!(session.end(&End { reason: EndReason::Cancelled, tokens: 0 }), Ok(None));
}

#[test]
fn divergence_is_zero_until_a_segment_has_ended() {
    let (told, ..) = run(40, 5, &WORDS);
    let first = told.iter().take_while(|note| note["segment"] == 0);
    assert!(first.clone().count() > 2);
    for note in first {
        let divergence = &note["divergence"];
        for key in ["surprise", "excess", "score"] {
            assert_eq!(divergence[key], 0.0, "{note}");
        }
        assert_eq!(divergence["alarm"], false);
    }
    assert_eq!(told[0]["divergence"]["shift"], 0.0);
    // A segment was forecast before it began, so its plan may have changed by its first token.
    let begins = |pair: &&[serde_json::Value]| pair[0]["segment"] != pair[1]["segment"];
    let firsts = told.windows(2).filter(|pair| begins(pair)).map(|pair| &pair[1]);
    assert!(firsts.clone().any(|note| note["divergence"]["shift"].as_f64().unwrap() > 0.0));
}

#[test]
fn nothing_that_comes_later_changes_an_annotation() {
    const OTHER: [&str; 9] = [" Stop!", "\n", " go", " on", ".", "?", "\n\n", " yes", " or no."];
    let (whole, ..) = run(40, 5, &WORDS);
    let (prefix, ..) = run(20, 5, &WORDS);
    assert_eq!(whole[..20], prefix);
    for (other, ..) in [run(40, 777, &WORDS), run(40, 5, &OTHER)] {
        assert_eq!(whole[..20], other[..20]);
        assert_ne!(whole[20..], other[20..]);
    }
}

#[test]
fn residuals_of_another_shape_or_not_finite_end_the_session() {
    let mut session = open(Arc::default(), Value::Null).unwrap();
    let error = step_with(session.as_mut(), 0, &[0.0; HIDDEN + 1], "").unwrap_err().to_string();
    assert!(error.contains("width 7") && error.contains("width 6"), "{error}");
    let mut session = open(Arc::default(), Value::Null).unwrap();
    let error = step_with(session.as_mut(), 0, &[f32::NAN; HIDDEN], "").unwrap_err().to_string();
    assert!(error.contains("step 0 is not finite"), "{error}");
}

#[test]
fn the_plugin_asks_for_the_bundles_sites_and_refuses_another_model() {
    let plugin = ForecastPlugin::new(Arc::new(bundle()), Arc::new(Silent));
    assert_eq!(plugin.name(), "themecast");
    assert_eq!(plugin.interest(&model()), Ok(Interest::last(vec![Site::Final])));
    let other = ModelInfo { layers: 9, ..model() };
    let refused = plugin.interest(&other);
    assert!(matches!(refused, Err(PluginError::UnsupportedModel(_))), "{refused:?}");
}

#[test]
fn the_first_token_of_a_segment_is_a_milestone() {
    let mut session = open(Arc::default(), Value::Null).unwrap();
    let mut segment = None;
    for index in 0..40 {
        let note = step(session.as_mut(), index, 5).unwrap().unwrap();
        let now = note.value.get("segment").cloned();
        assert_eq!(note.milestone, now != segment, "token {index}");
        segment = now;
    }
}

#[test]
fn a_missing_step_is_an_error_that_says_which() {
    let mut session = open(Arc::default(), Value::Null).unwrap();
    step(session.as_mut(), 0, 5).unwrap();
    let error = step(session.as_mut(), 2, 5).unwrap_err().to_string();
    assert!(error.contains("step 1 is missing"), "{error}");
}

#[test]
fn options_out_of_range_are_refused_before_the_answer() {
    let asked = Value::map([("horizon", Value::Int(9))]);
    let Err(error) = open(Arc::default(), asked) else { panic!("horizon 9 was taken") };
    assert_eq!(error.to_string(), "horizon: must be 1 to 3, was 9");
}

/// Of every segment whether it was complete.
#[derive(Default)]
struct Ends(Mutex<Vec<bool>>);

impl Observer for Ends {
    fn segment_ended(&self, event: &SegmentEnded<'_>) {
        self.0.lock().unwrap().push(event.complete);
    }
}

#[test]
fn only_what_the_model_ended_itself_is_complete() {
    for (reason, complete) in
        [(EndReason::Stop, true), (EndReason::Length, false), (EndReason::Cancelled, false)]
    {
        let ends = Arc::new(Ends::default());
        let plugin = ForecastPlugin::new(Arc::new(bundle()), ends.clone());
        let mut session = plugin.open(&RequestInfo::default()).unwrap();
        for index in 0..24 {
            step(session.as_mut(), index, 5).unwrap();
        }
        session.end(&End { reason, tokens: 24 }).unwrap();
        let ends = ends.0.lock().unwrap();
        let (last, before) = ends.split_last().unwrap();
        assert!(!before.is_empty() && before.iter().all(|&complete| complete), "{ends:?}");
        assert_eq!(*last, complete, "{reason:?}");
    }
}
