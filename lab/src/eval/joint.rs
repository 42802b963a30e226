//! Whole chains at once: the joint loss of the segments that came, beside two ways to get a joint
//! distribution without a chain predictor: the product of the linear heads' distributions, and the
//! first of them followed by a Markov chain.

use super::{
    bootstrap::{Draws, PerDocument},
    chains::Counted,
    events::Story,
    report::JointReport,
};
use crate::replay::{Moment, target};
use std::collections::HashMap;
use themecast_forecast::{bundle::Bundle, linear::RowKind, predict::Foresight};

/// The longest chains that are scored, in segments.
const LONGEST: usize = 3;

/// One chain that came after a boundary of a test document.
#[derive(Debug, Clone)]
pub(super) struct JointCase {
    document: String,
    segments: usize,
    ours_nats: f64,
    linear_nats: f64,
    /// Of the first segment alone, by the linear head.
    first_nats: f64,
    came: Vec<u32>,
}

/// Scores the chains that came after `moment`, a boundary of the document `id`.
pub(super) fn score(
    (bundle, foresight): (&Bundle, &Foresight),
    moment: &Moment<'_>,
    (id, chain): (&str, &[u32]),
    into: &mut Vec<JointCase>,
) {
    let came: Vec<usize> = (1..=LONGEST.min(bundle.card.horizons))
        .map_while(|offset| target(chain, moment.segment, offset))
        .map(|theme| theme as usize)
        .collect();
    let heads = bundle.predictor.heads(RowKind::Boundary);
    let (mut p, mut linear_nats, mut first_nats) = (Vec::new(), 0.0, 0.0);
    for (place, &theme) in came.iter().enumerate() {
        heads[place + 1].probabilities(moment.features, &mut p);
        linear_nats -= f64::from(p[theme].max(1e-9).ln());
        if place == 0 {
            first_nats = linear_nats;
        } else {
            let joint = foresight.joint(bundle, &came[..=place]);
            into.push(JointCase {
                document: id.to_owned(),
                segments: place + 1,
                ours_nats: -f64::from(joint.max(1e-30).ln()),
                linear_nats,
                first_nats,
                came: came[..=place].iter().map(|&theme| theme as u32).collect(),
            });
        }
    }
}

/// The mean losses by length, with intervals over resampled prompts; `counted` has the Markov
/// chain.
pub(super) fn reports(
    cases: &[JointCase],
    (stories, counted): (&[Story], &Counted),
    (resamples, seed): (usize, u64),
) -> Vec<JointReport> {
    let clusters: HashMap<&str, usize> =
        stories.iter().map(|story| (story.id.as_str(), story.cluster)).collect();
    let count = stories.iter().map(|story| story.cluster + 1).max().unwrap_or(0);
    let draws = Draws::new(count, resamples, seed);
    let of_length = |segments: usize| {
        let of = cases.iter().filter(|case| case.segments == segments);
        let mut differences = [(); 2].map(|()| vec![PerDocument::default(); count]);
        let (mut ours, mut linear, mut markov, mut number) = (0.0, 0.0, 0.0, 0);
        for case in of {
            let Some(&cluster) = clusters.get(case.document.as_str()) else { continue };
            let chained = case.first_nats + following(&case.came, counted);
            differences[0][cluster].add(case.ours_nats - case.linear_nats);
            differences[1][cluster].add(case.ours_nats - chained);
            markov += chained;
            ours += case.ours_nats;
            linear += case.linear_nats;
            number += 1;
        }
        (number > 0).then(|| JointReport {
            segments,
            cases: number,
            ours_nats: ours / number as f64,
            linear_nats: linear / number as f64,
            markov_nats: markov / number as f64,
            difference_interval: draws.interval(&differences[0]),
            markov_difference_interval: draws.interval(&differences[1]),
        })
    };
    (2..=LONGEST).filter_map(of_length).collect()
}

/// The loss of every theme after the first, each given the one before, in nats.
fn following(came: &[u32], counted: &Counted) -> f64 {
    let step = |pair: &[u32]| {
        let p = counted.markov(Some(pair[0]), 1);
        -f64::from(p[pair[1] as usize].max(1e-9).ln())
    };
    came.windows(2).map(step).sum()
}
