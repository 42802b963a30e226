//! A bundle of random weights.

use themecast_forecast::{
    ForecastPlugin,
    bundle::{Bundle, Calibration, Card, Reference, Temperatures, Theme},
    chains::{Link, LinkCard, Strength},
    features::FeatureLayout,
    linear::{Affine, LinearPredictor},
    segment::SegmenterConfig,
};
use themecast_plugin_api::{ModelInfo, Phase, Plugin, RequestInfo, Residuals, Site, Step};

pub(crate) const HIDDEN: usize = 6;
pub(crate) const THEMES: usize = 4;
pub(crate) const HORIZONS: usize = 3;

/// Numbers between -1 and 1 that look random and are the same each time.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// How large a bundle is.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) hidden: usize,
    pub(crate) themes: usize,
    pub(crate) horizons: usize,
}

pub(crate) fn bundle() -> Bundle {
    sized(Sizes { hidden: HIDDEN, themes: THEMES, horizons: HORIZONS })
}

pub(crate) fn model() -> ModelInfo {
    ModelInfo {
        architecture: "llama".into(),
        hidden_size: HIDDEN,
        layers: 2,
        vocabulary_size: 9,
        tokenizer_sha256: "00".into(),
        quantization: "Q8_0".into(),
    }
}

pub(crate) fn sized(Sizes { hidden, themes, horizons }: Sizes) -> Bundle {
    let layout = FeatureLayout { hidden, sites: 1, themes, text: 0, layer_norm: false };
    let head = |seed: u64| Affine {
        weight: numbers(seed, themes * layout.len()),
        bias: numbers(seed + 100, themes),
        temperature: 1.5,
    };
    let offsets = horizons as u64 + 2;
    let heads = |set: u64| (0..offsets).map(|offset| head(set * 10 + offset)).collect::<Vec<_>>();
    let theme = |number: usize| Theme {
        id: format!("theme-{number}"),
        name: format!("Theme {number}"),
        description: "made up".into(),
        share: 1.0 / themes as f32,
    };
    let temperatures = || vec![1.5; offsets as usize];
    let card = Card {
        format: Card::format(false, false),
        model: ModelInfo { hidden_size: hidden, ..model() },
        sites: vec![Site::Final],
        layer_norm: false,
        themes: (0..themes).map(theme).collect(),
        segmenter: SegmenterConfig { min_chars: 10, max_chars: 60 },
        horizons,
        predictor: "linear".into(),
        calibration: Calibration {
            temperatures: Temperatures { boundary: temperatures(), mid: temperatures() },
            conformal: None,
            detectors: None,
            smoothing: 1.0,
            smoothing_now: None,
            served: None,
        },
        reference: Reference {
            residual_mean: vec![0.0; hidden],
            residual_std: vec![0.6; hidden],
            median_distance: 1.0,
            distance_quantile_99: 1.5,
            theme_share: vec![1.0 / themes as f32; themes],
            excess_std: 1.0,
        },
        evaluation: serde_json::json!({}),
        license: "Apache-2.0".into(),
        created: "2026-01-01T00:00:00Z".into(),
        training: serde_json::json!({}),
        ensemble: Vec::new(),
        chain: None,
        link: None,
        text: None,
        open: None,
        trust: None,
    };
    let predictor = LinearPredictor::new(heads(1), heads(2), themes, layout.len()).unwrap();
    let ensemble = Vec::new();
    Bundle { card, predictor, ensemble, chain: None, link: None, open: None, trust: None }
}

/// The same with links between the segments of a chain.
pub(crate) fn linked() -> Bundle {
    let one = Strength { power: 0.5, chain: 0.0 };
    let mid = vec![Strength { power: 1.0, ..one }; HORIZONS];
    let card = LinkCard { boundary: vec![one; HORIZONS], mid };
    let mut bundle = bundle();
    (bundle.card.format, bundle.card.link) = (Card::format(false, true), Some(card.clone()));
    bundle.link = Some(Link { card, ratios: numbers(7, THEMES * THEMES) });
    bundle
}

/// The annotations of an answer to `request` whose tokens are `words`, the prompt's end first.
pub(crate) fn told(
    plugin: &ForecastPlugin,
    request: &RequestInfo,
    words: &[&str],
) -> Vec<serde_json::Value> {
    let mut session = plugin.open(request).unwrap();
    let step = |(index, text): (usize, &&str)| {
        let residual = numbers(5 + index as u64, HIDDEN);
        let phase =
            if index == 0 { Phase::Prompt { computed: 9, cached: 0 } } else { Phase::Decode };
        let residuals = Residuals::new(&residual, 1, HIDDEN);
        let step = Step { index, position: 9 + index, token: 1, text, phase, residuals };
        serde_json::to_value(session.step(&step).unwrap().unwrap().value).unwrap()
    };
    words.iter().enumerate().map(step).collect()
}
