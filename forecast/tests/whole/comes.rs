//! Whether themes and chains come, against what looking at every chain gives.

use crate::made_up::{bundle, numbers};
use std::path::Path;
use themecast_forecast::{
    bundle::Bundle,
    chain::Track,
    linear::RowKind,
    predict::{Forecaster, Foresight},
};

/// What the bundle says after one boundary, of features drawn with `seed`.
fn foresight(bundle: &Bundle, seed: u64) -> Foresight {
    let row = numbers(seed, bundle.layout().len());
    Forecaster::new(bundle).forecast(bundle, RowKind::Boundary, &row)
}

#[test]
fn segments_are_independent_without_a_chain() {
    let bundle = bundle();
    let told = foresight(&bundle, 3);
    for (themes, begins) in [(&[1][..], false), (&[1], true), (&[0, 2], true)] {
        let coming = told.steps.iter().skip(usize::from(!begins));
        let without = coming.map(|p| 1.0 - themes.iter().map(|&theme| p[theme]).sum::<f32>());
        let wanted = 1.0 - without.product::<f32>();
        assert!((told.comes(&bundle, themes, begins) - wanted).abs() < 1e-5);
    }
    assert!(told.comes(&bundle, &[], true) < 1e-6);
}

/// The probability that none of `themes` comes in the two segments after `z0`, over all chains.
fn without(bundle: &Bundle, row: &[f32], now: &[f32], themes: &[usize]) -> f32 {
    let model = bundle.chain.as_ref().unwrap();
    let outlook = Track::new(model).observe(model, RowKind::Boundary, row);
    let free: Vec<usize> = (0..now.len()).filter(|theme| !themes.contains(theme)).collect();
    let mut sum = 0.0;
    for (first, p) in now.iter().enumerate() {
        let one = outlook.next(model, &[first]);
        for &second in &free {
            let rest = outlook.next(model, &[first, second]);
            sum += p * one[second] * free.iter().map(|&third| rest[third]).sum::<f32>();
        }
    }
    sum
}

/// The shipped bundle of the default model.
fn shipped() -> Bundle {
    // Asked for when it runs: a build may be that of another checkout.
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = format!("{here}/../bundles/smollm2-135m-instruct/chain");
    Bundle::load(Path::new(&folder)).unwrap()
}

#[test]
fn chains_are_as_many_as_asked_for_and_exact_where_the_running_segment_is_known() {
    let bundle = shipped();
    let (model, themes) = (bundle.chain.as_ref().unwrap(), bundle.card.themes.len());
    let known = |first: usize| -> Vec<f32> {
        (0..themes).map(|theme| f32::from(u8::from(theme == first))).collect()
    };
    for seed in 0..8 {
        let row: Vec<f32> = numbers(seed, bundle.layout().len());
        let outlook = Track::new(model).observe(model, RowKind::Boundary, &row);
        let first = seed as usize;
        for asked in [1, 3, 16] {
            let next = outlook.next(model, &[first]);
            let chains = outlook.chains(model, (&known(first), &next), 3, asked);
            assert_eq!(chains.len(), asked);
            assert!(chains.is_sorted_by(|a, b| a.p >= b.p && a.themes != b.themes));
            for chain in chains {
                let mut p = 1.0;
                for (place, &theme) in chain.themes.iter().enumerate() {
                    let before: Vec<usize> = [&[first], &chain.themes[..place]].concat();
                    p *= outlook.next(model, &before)[theme];
                }
                assert!((chain.p - p).abs() < 1e-5, "{chain:?} against {p}");
            }
        }
    }
}

#[test]
fn chains_that_begin_alike_are_together_no_likelier_than_their_first_theme() {
    let bundle = shipped();
    for seed in 0..8 {
        let told = foresight(&bundle, seed);
        let chains = told.chains(&bundle, 3, 16);
        for (theme, &p) in told.steps[1].iter().enumerate() {
            let alike = chains.iter().filter(|chain| chain.themes[0] == theme);
            let sum: f32 = alike.map(|chain| chain.p).sum();
            assert!(sum <= p + 1e-5, "{theme}: {sum} of {p}");
        }
        let single = told.chains(&bundle, 1, 3);
        assert!(single.iter().all(|chain| chain.p == told.steps[1][chain.themes[0]]));
    }
}

#[test]
fn beams_of_the_shipped_chain_come_near_what_all_chains_give() {
    let bundle = shipped();
    let model = bundle.chain.as_ref().unwrap();
    for seed in 0..8 {
        let row: Vec<f32> = numbers(seed, bundle.layout().len());
        let now = &foresight(&bundle, seed).steps[0];
        let outlook = Track::new(model).observe(model, RowKind::Boundary, &row);
        for themes in [&[0][..], &[3], &[2, 5, 7]] {
            let all = without(&bundle, &row, now, themes);
            let beams = outlook.without(model, now, 2, themes);
            assert!((beams - all).abs() < 0.1, "seed {seed}, {themes:?}: {beams} against {all}");
        }
        assert!((outlook.without(model, now, 2, &[]) - 1.0).abs() < 1e-5);
    }
}
