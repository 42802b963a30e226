//! What is trained is what serves.

use super::{
    batch::{Stories, runs},
    network::{Network, Sizes},
};
use crate::train::{
    rows::{Origin, Rows},
    scaler::Scaler,
};
use std::sync::Arc;
use themecast_forecast::{
    chain::{ChainCard, ChainModel, Mix, Outlook, Track},
    chains::Course,
    features::FeatureLayout,
    linear::{RowKind, softmax},
};

const LAYOUT: FeatureLayout =
    FeatureLayout { hidden: 3, sites: 1, themes: 4, text: 0, layer_norm: false };

fn rows(chains: &[Arc<[u32]>], of: impl Fn(i32) -> Vec<f32>, moments: bool) -> Rows {
    let mut rows = Rows::default();
    for chain in chains {
        let last = chain.len() as i32;
        for segment in if moments { 0..last } else { -1..last - 1 } {
            let origin = Origin { segment, fold: 0, part: 0, chain: chain.clone() };
            rows.values.extend(of(segment * 7 + last));
            rows.origins.push(origin);
        }
    }
    rows
}

fn row(seed: i32) -> Vec<f32> {
    (0..LAYOUT.len()).map(|place| ((seed * 31 + place as i32 * 17) as f32 * 0.7).sin()).collect()
}

#[test]
fn serving_computes_what_training_computes() {
    let card = ChainCard {
        width: 8,
        heads: 2,
        layers: 2,
        inner: 16,
        places: 3,
        boundary: vec![Mix { weight: 1.0, temperature: 1.0 }; 3],
        mid: vec![Mix { weight: 1.0, temperature: 1.0 }; 3],
        temperatures: vec![1.0; 2],
    };
    let chains: [Arc<[u32]>; 2] = [[0, 1, 2, 3, 1].into(), [2, 2, 0].into()];
    let (boundary, mid) = (rows(&chains, row, false), rows(&chains, |s| row(s + 100), true));
    let scaler = Scaler::measure(&mid.values, LAYOUT.len());
    let stories = Stories::new(&boundary, &mid, LAYOUT, 2, &scaler);
    let sizes = Sizes { features: LAYOUT.len(), themes: 4, horizons: 2 };
    let network = Network::new(&card, sizes, 9).unwrap();
    let model = network.export(&card, &scaler).unwrap();
    for number in [0, 1] {
        let alone = stories.batch(&[number], card.places).unwrap();
        assert_eq!(alone.length, stories.tokens(number));
    }
    assert_eq!(stories.batches(&[1, 0], 32), [&[1, 0]]);
    let batch = stories.batch(&[0, 1], card.places).unwrap();
    let out = network.forward(&batch, None).unwrap();
    let targets = &batch.marginal[1];
    let logits: Vec<f32> =
        network.marginal(&out, targets, 1).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let next = &batch.next[1];
    let after: Vec<f32> =
        network.next(&out, next).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let mut seen = 0;
    let mut track = Track::new(&model);
    for (number, present) in batch.presents.iter().enumerate() {
        if present.kind == RowKind::Boundary && present.place == 0 {
            track = Track::new(&model);
        }
        let outlook = track.observe(&model, present.kind, stories.raw(present));
        if let Some(case) = targets.present.iter().position(|&of| of == number) {
            same(&logits[case * 4..case * 4 + 4], &outlook.steps[1]);
            seen += 1;
        }
        if let Some(case) = next.present.iter().position(|&of| of == number) {
            let themes: Vec<usize> =
                present.came[..2].iter().flatten().map(|&theme| theme as usize).collect();
            same(&after[case * 4..case * 4 + 4], &following(&model, &outlook, &themes)[1]);
            seen += 1;
        }
    }
    assert!(seen > 12, "{seen}");
}

/// `p(zk+1 | z0 … zk)` by the transformer alone.
fn following(model: &ChainModel, outlook: &Outlook, themes: &[usize]) -> Vec<Vec<f32>> {
    let course = Course { steps: &outlook.steps, chain: Some((model, outlook)), link: None };
    course.following(themes)
}

fn same(logits: &[f32], p: &[f32]) {
    let mut expected = logits.to_vec();
    softmax(&mut expected);
    for (a, b) in expected.iter().zip(p) {
        assert!((a - b).abs() < 1e-4, "{expected:?} {p:?}");
    }
}

#[test]
fn batches_end_where_attention_would_take_too_much() {
    assert_eq!(runs(&[3, 3, 3, 3, 3], 2, 1000), [0..2, 2..4, 4..5]);
    assert_eq!(runs(&[3, 3, 9, 2, 40, 1], 8, 200), [0..2, 2..4, 4..5, 5..6]);
    assert_eq!(runs(&[], 8, 200), [] as [std::ops::Range<usize>; 0]);
}
