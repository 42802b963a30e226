//! Whether themes and chains come, against what looking at every chain gives.

use crate::made_up::{bundle, linked, numbers};
use std::path::Path;
use themecast_forecast::{
    bundle::Bundle,
    chains::Course,
    linear::RowKind,
    predict::{Forecaster, Foresight},
};

/// What the bundle says after one boundary, of features drawn with `seed`.
fn foresight(bundle: &Bundle, seed: u64) -> Foresight {
    let row = numbers(seed, bundle.layout().len());
    Forecaster::new(bundle).forecast(bundle, RowKind::Boundary, &row)
}

#[test]
fn segments_are_independent_without_a_chain_or_links() {
    let bundle = bundle();
    let told = foresight(&bundle, 3);
    let course = told.course(&bundle);
    for (themes, begins) in [(&[1][..], false), (&[1], true), (&[0, 2], true)] {
        let coming = told.steps.iter().skip(usize::from(!begins));
        let without = coming.map(|p| 1.0 - themes.iter().map(|&theme| p[theme]).sum::<f32>());
        let wanted = 1.0 - without.product::<f32>();
        assert!((course.comes(themes, begins) - wanted).abs() < 1e-5);
    }
    assert!(course.comes(&[], true) < 1e-6);
    assert_eq!(course.following(&[2]), [told.steps[1].clone()]);
}

#[test]
fn links_make_a_theme_likelier_after_one_that_leads_to_it() {
    let (apart, bundle) = (bundle(), linked());
    let told = foresight(&bundle, 3);
    let (course, link) = (told.course(&bundle), bundle.link.as_ref().unwrap());
    for theme in 0..bundle.card.themes.len() {
        let after = course.following(&[theme]).remove(0);
        let ratios = &link.ratios[theme * after.len()..];
        let raised = told.steps[1].iter().zip(ratios).map(|(p, ratio)| p * (0.5 * ratio).exp());
        let raised: Vec<f32> = raised.collect();
        let sum: f32 = raised.iter().sum();
        let near = after.iter().zip(&raised).all(|(p, raised)| (p - raised / sum).abs() < 1e-5);
        assert!(near, "{after:?} against {raised:?}");
    }
    assert_eq!(told.steps, foresight(&apart, 3).steps, "single segments stay what they are");
    let chains = course.chains(3, 3);
    assert_ne!(chains, foresight(&apart, 3).course(&apart).chains(3, 3));
    let mut all = 0.0;
    for number in 0..4usize.pow(4) {
        let themes: Vec<usize> = (0..4).map(|place| number / 4usize.pow(place) % 4).collect();
        all += course.joint(&themes);
    }
    assert!((all - 1.0).abs() < 1e-4, "{all}");
}

/// The probability that none of `themes` comes in the two segments after `z0`, over all chains.
fn without(course: &Course<'_>, now: &[f32], themes: &[usize]) -> f32 {
    let free: Vec<usize> = (0..now.len()).filter(|theme| !themes.contains(theme)).collect();
    let mut sum = 0.0;
    for (first, p) in now.iter().enumerate() {
        for &second in &free {
            let [one, rest] = &course.following(&[first, second])[..] else { unreachable!() };
            sum += p * one[second] * free.iter().map(|&third| rest[third]).sum::<f32>();
        }
    }
    sum
}

/// The shipped bundle of the default model, as it is and without its links.
fn shipped() -> [Bundle; 2] {
    // Asked for when it runs: a build may be that of another checkout.
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let folder = format!("{here}/../bundles/smollm2-135m-instruct/chain");
    let bundle = Bundle::load(Path::new(&folder)).unwrap();
    assert!(bundle.link.is_some());
    [bundle.clone(), Bundle { link: None, ..bundle }]
}

#[test]
fn chains_are_as_many_as_asked_for_and_exact_where_the_running_segment_is_known() {
    for (bundle, seed) in shipped().iter().flat_map(|bundle| (0..8).map(move |seed| (bundle, seed)))
    {
        let told = foresight(bundle, seed);
        let first = seed as usize;
        let mut steps = told.steps.clone();
        steps[0].fill(0.0);
        steps[0][first] = 1.0;
        let course = Course { steps: &steps, ..told.course(bundle) };
        for asked in [1, 3, 16] {
            let chains = course.chains(3, asked);
            assert_eq!(chains.len(), asked);
            assert!(chains.is_sorted_by(|a, b| a.p >= b.p && a.themes != b.themes));
            for chain in chains {
                let whole: Vec<usize> = [&[first], &chain.themes[..]].concat();
                let rest = &course.following(&whole[..3])[1..];
                let rest = rest.iter().zip(&chain.themes[1..]).map(|(p, &theme)| p[theme]);
                let p = steps[1][chain.themes[0]] * rest.product::<f32>();
                assert!((chain.p - p).abs() < 1e-5, "{chain:?} against {p}");
            }
        }
    }
}

#[test]
fn chains_that_begin_alike_are_together_no_likelier_than_their_first_theme() {
    for (bundle, seed) in shipped().iter().flat_map(|bundle| (0..8).map(move |seed| (bundle, seed)))
    {
        let told = foresight(bundle, seed);
        let chains = told.course(bundle).chains(3, 16);
        for (theme, &p) in told.steps[1].iter().enumerate() {
            let alike = chains.iter().filter(|chain| chain.themes[0] == theme);
            let sum: f32 = alike.map(|chain| chain.p).sum();
            assert!(sum <= p + 1e-5, "{theme}: {sum} of {p}");
        }
        let single = told.course(bundle).chains(1, 3);
        assert!(single.iter().all(|chain| chain.p == told.steps[1][chain.themes[0]]));
    }
}

#[test]
fn beams_of_the_shipped_chain_come_near_what_all_chains_give() {
    for (bundle, seed) in shipped().iter().flat_map(|bundle| (0..8).map(move |seed| (bundle, seed)))
    {
        let told = foresight(bundle, seed);
        let (course, now) = (told.course(bundle), &told.steps[0]);
        let two = Course { steps: &told.steps[..3], ..course };
        for themes in [&[0][..], &[3], &[2, 5, 7]] {
            let all = without(&course, now, themes);
            let beams = two.without(now, themes);
            assert!((beams - all).abs() < 0.1, "seed {seed}, {themes:?}: {beams} against {all}");
        }
        assert!((course.without(now, &[]) - 1.0).abs() < 1e-5);
    }
}
