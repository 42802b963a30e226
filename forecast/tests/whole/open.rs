//! Phrases to watch for, from the bundle's folder to the annotation.

use crate::made_up::{self, HIDDEN, bundle, model, numbers};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use themecast_forecast::{
    ForecastPlugin,
    bundle::Bundle,
    events::Silent,
    features::FeatureLayout,
    linear::{Affine, LinearPredictor, RowKind},
    open::{Background, Calibration, Expansion, OpenCard, OpenHead, OpenSet, Watch},
    text::{Embed, TextCard},
    watchlist::Watched,
};
use themecast_plugin_api::{
    End, EndReason, Phase, Plugin, PluginError, RequestInfo, Residuals, Session, Step, Value,
};

const DIMENSION: usize = 3;
const RANK: usize = 2;
const AHEAD: usize = 2;

/// Numbers that half precision holds exactly.
fn halves(seed: u64, count: usize) -> Vec<f32> {
    numbers(seed, count).iter().map(|x| (x * 64.0).round() / 64.0).collect()
}

fn expansion(seed: u64) -> Expansion {
    let expand = halves(seed, AHEAD * DIMENSION * RANK);
    Expansion { expand, bias: halves(seed + 1, AHEAD * DIMENSION) }
}

fn watching() -> Bundle {
    let mut bundle = bundle();
    let layout = bundle.layout();
    let features = layout.len() - layout.history().len();
    let set = |seed: u64| OpenSet {
        scaling: [vec![0.0; features], vec![1.0; features]].concat(),
        project: halves(seed, RANK * features),
        whole: expansion(seed + 1),
        ensemble: vec![expansion(seed + 3), expansion(seed + 5)],
    };
    let card = OpenCard {
        embedder: "letters".into(),
        dimension: DIMENSION,
        horizons: AHEAD,
        rank: RANK,
        background_rank: 1,
        ensemble: 2,
        calibration: Calibration {
            boundary: vec![-1.0, 1.0, 0.5, 0.25, 0.0, 0.0],
            mid: vec![-2.0, 0.5, 0.5, 0.0, 0.0, 0.1],
        },
        evaluation: serde_json::json!({}),
    };
    bundle.card.open = Some(card.clone());
    bundle.open = Some(OpenHead {
        card,
        boundary: set(31),
        mid: set(41),
        segments: Background { mean: vec![0.25; DIMENSION], factor: vec![0.5; DIMENSION] },
    });
    bundle
}

/// Embeds a phrase by its first letter, and counts how often it is called.
#[derive(Default)]
struct Letters(AtomicUsize);

impl Embed for Letters {
    fn embed(&self, phrases: &[String]) -> Result<Vec<Vec<f32>>, String> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let letter = |phrase: &String| match phrase.as_bytes().first() {
            Some(b'a') => Ok(vec![1.0, 0.0, 0.0]),
            Some(b'b') => Ok(vec![0.0, 0.6, 0.8]),
            Some(b'c') => Ok(vec![1.0]),
            _ => Err("the encoder is not there".to_owned()),
        };
        phrases.iter().map(letter).collect()
    }
}

fn plugin(bundle: Bundle, encoder: Option<Arc<Letters>>) -> ForecastPlugin {
    let plugin = ForecastPlugin::new(Arc::new(bundle), Arc::new(Silent));
    match encoder {
        Some(encoder) => plugin.with_encoder(encoder),
        None => plugin,
    }
}

fn request(phrases: &[&str]) -> RequestInfo {
    let phrases: Vec<Value> = phrases.iter().map(|&phrase| Value::from(phrase)).collect();
    RequestInfo {
        id: "r".into(),
        options: Value::map([("watch", Value::from(phrases))]),
        ..RequestInfo::default()
    }
}

/// The annotations of an answer that watches for `phrases`.
fn told(plugin: &ForecastPlugin, phrases: &[&str]) -> Vec<serde_json::Value> {
    let words = ["", " one", " two", " three", ".", " four", " five", " six", "."];
    made_up::told(plugin, &request(phrases), &words)
}

fn p(note: &serde_json::Value, phrase: usize) -> f64 {
    note["watch"][phrase]["p"].as_f64().unwrap()
}

#[test]
fn phrases_are_annotated_as_the_contract_says_and_embedded_once() {
    let encoder = Arc::new(Letters::default());
    let plugin = plugin(watching(), Some(encoder.clone()));
    let notes = told(&plugin, &["a refund request", "b"]);
    assert_eq!(encoder.0.load(Ordering::Relaxed), 1);
    for note in &notes {
        let keys: Vec<&String> = note.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["token", "segment", "now", "next", "chains", "watch", "divergence", "trust"]
        );
        let watch = note["watch"].as_array().unwrap();
        let keys: Vec<&String> = watch[0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["theme", "p", "within", "disagreement"]);
        assert_eq!((watch.len(), &watch[0]["theme"]), (2, &"a refund request".into()));
        assert_eq!(watch[1]["within"], AHEAD);
        assert!(p(note, 0) > 0.0 && p(note, 0) < 1.0);
    }
    assert_ne!(p(&notes[1], 0), p(&notes[2], 0));
    let apart = |note: &serde_json::Value| note["watch"][0]["disagreement"].as_f64().unwrap();
    assert!(notes.iter().any(|note| apart(note) > 0.001), "made of random numbers");
    // A phrase's probability does not depend on what else is watched for.
    for (both, alone) in notes.iter().zip(told(&plugin, &["b"])) {
        assert_eq!(p(both, 1), p(&alone, 0));
    }
}

#[test]
fn an_operators_phrase_raises_an_alarm_and_no_client_sees_it_scored() {
    let watched = |phrase: &str, raise: f32| Watched {
        name: "refunds".into(),
        themes: Vec::new(),
        phrases: vec![phrase.into()],
        raise,
        release: None,
    };
    let encoder = Arc::new(Letters::default());
    let likely = told(&plugin(watching(), Some(encoder.clone())), &["a"]);
    let first = p(&likely[0], 0) as f32;
    let with = |raise: f32| {
        let plugin = plugin(watching(), Some(encoder.clone()));
        told(&plugin.with_watches(&[watched("a", raise)]).unwrap(), &[])
    };
    let raised = with(0.9 * first);
    assert_eq!(raised[0]["divergence"]["alarms"], serde_json::json!(["watch: refunds"]));
    assert!(raised.iter().all(|note| note.get("watch").is_none()));
    assert!(with(1.0).iter().all(|note| note["divergence"].get("alarms").is_none()));
    for (plugin, phrase, says) in [
        (plugin(bundle(), Some(encoder.clone())), "a", "the bundle scores no phrases"),
        (plugin(watching(), None), "a", "the bundle scores no phrases"),
        (plugin(watching(), Some(encoder.clone())), "x", "the encoder is not there"),
    ] {
        let error = plugin.with_watches(&[watched(phrase, 0.5)]).err().unwrap().to_string();
        assert!(error.contains("watch 'refunds'") && error.contains(says), "{error}");
    }
}

#[test]
fn without_phrases_nothing_changes_and_nothing_is_embedded() {
    let encoder = Arc::new(Letters::default());
    let with = told(&plugin(watching(), Some(encoder.clone())), &[]);
    assert_eq!(with, told(&plugin(bundle(), None), &[]));
    assert_eq!(encoder.0.load(Ordering::Relaxed), 0);
}

#[test]
fn what_cannot_be_watched_for_is_said_before_the_answer() {
    let opened = |plugin: ForecastPlugin, phrase: &str| {
        plugin.open(&request(&[phrase])).err().expect("it was opened")
    };
    let letters = || Some(Arc::<Letters>::default());
    for plugin in [plugin(bundle(), letters()), plugin(watching(), None)] {
        let error = opened(plugin, "a");
        assert!(matches!(error, PluginError::InvalidOption { .. }), "{error}");
    }
    let failed = opened(plugin(watching(), letters()), "x").to_string();
    assert!(failed.contains("the encoder is not there"), "{failed}");
    let narrow = opened(plugin(watching(), letters()), "c").to_string();
    assert!(narrow.contains("width 3") && narrow.contains("letters"), "{narrow}");
}

#[test]
fn the_head_is_saved_and_loaded_and_what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let made = watching();
    made.save(folder.path()).unwrap();
    assert_eq!(Bundle::load(folder.path()).unwrap(), made);
    let path = folder.path().join("card.json");
    let card = fs::read_to_string(&path).unwrap();
    for (from, to, says) in [
        ("\"rank\": 2", "\"rank\": 3", "open.boundary.project: is F16 [2, 22]"),
        ("\"rank\": 2", "\"rank\": 0", "open: rank 0"),
        ("\"dimension\": 3", "\"dimension\": 4", "open.segments.mean: is F32 [3]"),
        ("\"ensemble\": 2", "\"ensemble\": 3", "open.boundary.2.expand: is missing"),
        ("\"ensemble\": 2", "\"ensemble\": 17", "open: 17 members of an ensemble"),
        ("\"ensemble\": 2", "\"ensemble\": 1", "open: 1 members of an ensemble"),
        ("\"ensemble\": 2", "\"ensemble\": 0", "tensors: 38 where 30 are wanted"),
        ("-2.0,", "", "a calibration is not 6 finite numbers"),
    ] {
        assert!(card.contains(from), "{from}");
        fs::write(&path, card.replacen(from, to, 1)).unwrap();
        let error = Bundle::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains(says) && error.lines().count() == 1, "{error}");
    }
    // Tensors that no card speaks of are not taken along in silence.
    bundle().save(&folder.path().join("plain")).unwrap();
    fs::copy(folder.path().join("plain/card.json"), &path).unwrap();
    let error = Bundle::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("tensors"), "{error}");
}

/// On a quiet core: `cargo test --release -p themecast-forecast -- --ignored --nocapture cost`.
#[test]
#[ignore = "measures time"]
fn cost_of_sixteen_phrases() {
    let (dimension, horizons, rank) = (384, 3, 96);
    let layout = FeatureLayout { hidden: 576, sites: 1, themes: 24, text: 0, layer_norm: false };
    let features = layout.len() - layout.history().len();
    let whole = Expansion {
        expand: numbers(2, horizons * dimension * rank),
        bias: numbers(3, horizons * dimension),
    };
    let set = OpenSet {
        scaling: vec![1.0; 2 * features],
        project: numbers(1, rank * features),
        whole: whole.clone(),
        ensemble: vec![whole.clone(), whole],
    };
    let card = watching().card.open.unwrap();
    let head = OpenHead {
        card: OpenCard { dimension, horizons, rank, ..card },
        boundary: set.clone(),
        mid: set,
        segments: Background { mean: numbers(4, dimension), factor: numbers(5, 64 * dimension) },
    };
    let phrases: Vec<Vec<f32>> = (0..16).map(|seed| numbers(seed, dimension)).collect();
    let mut watch = Watch::new(&head, &phrases);
    let row = numbers(9, layout.len());
    let mut millis: Vec<f64> = (0..2000)
        .map(|_| {
            let started = std::time::Instant::now();
            let p = watch.chances(&head, RowKind::Mid, &row, &layout);
            assert_eq!(std::hint::black_box(p).len(), 16);
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    millis.sort_by(f64::total_cmp);
    println!("sixteen phrases: {:.4} ms, p99 {:.4} ms", millis[1000], millis[1980]);
    assert!(millis[1000] < 0.2);
}

#[test]
fn a_bundle_that_reads_the_text_has_phrases_of_its_own_and_says_when_the_encoder_is_missing() {
    let mut bundle = watching();
    let text = TextCard { embedder: "letters".into(), dimension: DIMENSION };
    let features = bundle.layout().len();
    bundle.card.text = Some(text);
    let more = bundle.layout().len() - features;
    let widened = |kind| {
        let heads = bundle.predictor.heads(kind).iter().map(|head| {
            let rows = head.weight.chunks(features);
            let weight = rows.flat_map(|row| [row, &vec![0.5; more][..]].concat()).collect();
            Affine { weight, ..head.clone() }
        });
        heads.collect()
    };
    let (boundary, mid) = (widened(RowKind::Boundary), widened(RowKind::Mid));
    let wide = bundle.layout();
    bundle.predictor = LinearPredictor::new(boundary, mid, wide.themes, wide.len()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    bundle.save(folder.path()).unwrap();
    let bundle = Bundle::load(folder.path()).unwrap();
    let missing = plugin(bundle.clone(), None).interest(&model()).unwrap_err().to_string();
    assert!(missing.contains("reads the text through letters"), "{missing}");
    let encoder = Arc::new(Letters::default());
    let plugin = plugin(bundle, Some(encoder.clone()));
    let mut session = plugin.open(&RequestInfo { prompt: "a".into(), ..request(&["b"]) }).unwrap();
    assert_eq!(encoder.0.load(Ordering::Relaxed), 2, "the phrase and the prompt");
    let read = |index: usize, text: &str, session: &mut dyn Session| {
        let residual = numbers(5 + index as u64, HIDDEN);
        let phase =
            if index == 0 { Phase::Prompt { computed: 9, cached: 0 } } else { Phase::Decode };
        let residuals = Residuals::new(&residual, 1, HIDDEN);
        session.step(&Step { index, position: 9 + index, token: 1, text, phase, residuals })
    };
    for (index, text) in ["", "a one", " two", " three", "."].into_iter().enumerate() {
        assert!(read(index, text, session.as_mut()).unwrap().is_some());
    }
    assert_eq!(encoder.0.load(Ordering::Relaxed), 3, "the segment that ended, once");
    // Heads within segments know the text up to the last boundary, at the answer's end too.
    let mut cut = plugin.open(&RequestInfo { prompt: "a".into(), ..request(&[]) }).unwrap();
    for (index, text) in ["", "a one", " two", " three", ".", "b four"].into_iter().enumerate() {
        read(index, text, cut.as_mut()).unwrap();
    }
    let before = encoder.0.load(Ordering::Relaxed);
    assert!(cut.end(&End { reason: EndReason::Length, tokens: 6 }).unwrap().is_some());
    assert_eq!(encoder.0.load(Ordering::Relaxed), before);
    // An encoder that fails ends the session, not the stream: the host says why.
    let unknown = |index, text: &str| (index, text.to_owned());
    let rest = [unknown(5, "zzz"), unknown(6, " two"), unknown(7, " three"), unknown(8, ".")];
    let failed = rest.iter().find_map(|(index, text)| read(*index, text, session.as_mut()).err());
    assert!(failed.unwrap().to_string().contains("the encoder is not there"));
}
