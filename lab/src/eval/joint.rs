//! Whole chains at once: the joint loss of the segments that came, beside three ways to get a joint
//! distribution without a chain predictor: the product of the linear heads' distributions, the
//! first of them followed by a Markov chain, and all of them linked by that chain's ratios.

use super::{
    bootstrap::{Draws, PerPrompt},
    chains::Counted,
    events::{Story, clusters},
    more_reports::JointReport,
};
use crate::replay::{Moment, target};
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
    /// By the linear heads, *shape* `[segments, themes]`.
    heads: Vec<Vec<f32>>,
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
    let (mut all, mut linear_nats) = (Vec::new(), 0.0);
    for (place, &theme) in came.iter().enumerate() {
        let mut p = Vec::new();
        heads[place + 1].probabilities(moment.features, &mut p);
        linear_nats += nats(p[theme]);
        all.push(p);
        if place > 0 {
            let joint = foresight.joint(bundle, &came[..=place]);
            into.push(JointCase {
                document: id.to_owned(),
                segments: place + 1,
                ours_nats: -f64::from(joint.max(1e-30).ln()),
                linear_nats,
                heads: all.clone(),
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
    let (clusters, count) = clusters(stories);
    let draws = Draws::new(count, resamples, seed);
    let of_length = |segments: usize| {
        let of = cases.iter().filter(|case| case.segments == segments);
        let mut differences = [(); 3].map(|()| vec![PerPrompt::default(); count]);
        let (mut ours, mut rivals, mut number) = (0.0, [0.0; 3], 0);
        for case in of {
            let Some(&cluster) = clusters.get(case.document.as_str()) else { continue };
            let others = [case.linear_nats, case.markov_nats(counted), case.linked_nats(counted)];
            for (place, other) in others.into_iter().enumerate() {
                differences[place][cluster].add(case.ours_nats - other);
                rivals[place] += other;
            }
            ours += case.ours_nats;
            number += 1;
        }
        let mean = |sum: f64| sum / number as f64;
        let [difference, markov, linked] = differences.map(|one| draws.interval(&one));
        (number > 0).then(|| JointReport {
            segments,
            cases: number,
            ours_nats: mean(ours),
            linear_nats: mean(rivals[0]),
            markov_nats: mean(rivals[1]),
            linked_nats: mean(rivals[2]),
            difference_interval: difference,
            markov_difference_interval: markov,
            linked_difference_interval: linked,
        })
    };
    (2..=LONGEST).filter_map(of_length).collect()
}

impl JointCase {
    /// The first head's loss, then a Markov chain's.
    fn markov_nats(&self, counted: &Counted) -> f64 {
        let step = |pair: &[u32]| nats(counted.markov(Some(pair[0]), 1)[pair[1] as usize]);
        self.first_nats() + self.came.windows(2).map(step).sum::<f64>()
    }

    /// The heads' loss, each after the first times the Markov chain's probability of a theme after
    /// the one before over its share, normalised.
    fn linked_nats(&self, counted: &Counted) -> f64 {
        let share = counted.marginal();
        let step = |(pair, head): (&[u32], &Vec<f32>)| {
            let after = counted.markov(Some(pair[0]), 1);
            let each = head.iter().zip(after.iter().zip(&share));
            let weighed: Vec<f32> = each.map(|(p, (m, s))| p * m / s.max(1e-9)).collect();
            nats(weighed[pair[1] as usize] / weighed.iter().sum::<f32>().max(1e-9))
        };
        let steps = self.came.windows(2).zip(self.heads.iter().skip(1));
        self.first_nats() + steps.map(step).sum::<f64>()
    }

    fn first_nats(&self) -> f64 {
        nats(self.heads[0][self.came[0] as usize])
    }
}

fn nats(p: f32) -> f64 {
    -f64::from(p.max(1e-9).ln())
}
