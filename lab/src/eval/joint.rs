//! Whole chains at once: the joint loss of the segments that came, beside other ways to a joint
//! distribution: the product of the linear heads' distributions, the first of them followed by a
//! Markov chain, all of them linked by that chain's ratios, and the chain predictor without the
//! linear heads that it is mixed with.

use super::{
    bootstrap::{Draws, PerPrompt},
    chains::Counted,
    events::{BySplit, Story, clusters},
    more_reports::{JointReport, JointRival},
};
use crate::replay::{Moment, target};
use std::collections::HashMap;
use themecast_forecast::{bundle::Bundle, linear::RowKind, predict::Foresight};

/// The longest chains that are scored, in segments.
const LONGEST: usize = 3;

/// Powers of the Markov chain's ratios; the one that validates best is taken.
const POWERS: [f32; 8] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0];

/// One chain that came after a boundary.
#[derive(Debug, Clone)]
pub(super) struct JointCase {
    document: String,
    segments: usize,
    ours_nats: f64,
    /// Of a bundle that has a chain predictor.
    chain_nats: Option<f64>,
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
    let forecast = |place: usize| {
        let mut p = Vec::new();
        heads[place + 1].probabilities(moment.features, &mut p);
        p
    };
    let all: Vec<Vec<f32>> = (0..came.len()).map(forecast).collect();
    for segments in 2..=came.len() {
        let came = &came[..segments];
        let nats = |joint: f32| -f64::from(joint.max(1e-30).ln());
        into.push(JointCase {
            document: id.to_owned(),
            segments,
            ours_nats: nats(foresight.joint(bundle, came)),
            chain_nats: foresight.joint_of_chain(bundle, came).map(nats),
            heads: all[..segments].to_vec(),
            came: came.iter().map(|&theme| theme as u32).collect(),
        });
    }
}

/// The mean losses on the test split by length, with intervals over resampled prompts; `counted` has
/// the Markov chain.
pub(super) fn reports(
    cases: &BySplit<Vec<JointCase>>,
    (stories, counted): (&[Story], &Counted),
    (resamples, seed): (usize, u64),
) -> Vec<JointReport> {
    let (clusters, count) = clusters(stories);
    let draws = Draws::new(count, resamples, seed);
    let of_length = |segments: usize| {
        let of = |cases: &[JointCase]| -> Vec<JointCase> {
            cases.iter().filter(|case| case.segments == segments).cloned().collect()
        };
        let power = best_power(&of(&cases.validation), counted);
        let known = |case: &JointCase| clusters.contains_key(case.document.as_str());
        let cases: Vec<JointCase> = of(&cases.test).into_iter().filter(known).collect();
        let paired = Paired { cases: &cases, clusters: &clusters, prompts: count, draws: &draws };
        let rivals = [
            paired.rival("product", |case| Some(case.linked_nats(counted, 0.0))),
            paired.rival("Markov", |case| Some(case.markov_nats(counted))),
            paired.rival("linked", |case| Some(case.linked_nats(counted, power))),
            paired.rival("chain alone", |case| case.chain_nats),
        ];
        (!cases.is_empty()).then(|| JointReport {
            segments,
            cases: cases.len(),
            ours_nats: mean(cases.iter().map(|case| case.ours_nats), cases.len()),
            link_power: power,
            rivals: rivals.into_iter().flatten().collect(),
        })
    };
    (2..=LONGEST).filter_map(of_length).collect()
}

/// The power of the ratios that loses least on `validation`.
fn best_power(validation: &[JointCase], counted: &Counted) -> f32 {
    let loss = |power| validation.iter().map(|case| case.linked_nats(counted, power)).sum::<f64>();
    let losses = POWERS.map(|power| (loss(power), power));
    losses.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |best| best.1)
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count as f64
}

/// The cases of one length, for comparisons on the same ones.
struct Paired<'a> {
    cases: &'a [JointCase],
    clusters: &'a HashMap<&'a str, usize>,
    prompts: usize,
    draws: &'a Draws,
}

impl Paired<'_> {
    /// Another way to a joint distribution, which loses `nats` on a case; nothing where it is not had
    /// on each.
    fn rival(&self, way: &str, nats: impl Fn(&JointCase) -> Option<f64>) -> Option<JointRival> {
        let losses: Vec<f64> = self.cases.iter().map(nats).collect::<Option<_>>()?;
        let mut differences = vec![PerPrompt::default(); self.prompts];
        for (case, loss) in self.cases.iter().zip(&losses) {
            differences[self.clusters[case.document.as_str()]].add(case.ours_nats - loss);
        }
        Some(JointRival {
            way: way.to_owned(),
            nats: mean(losses.iter().copied(), losses.len()),
            ours_minus_interval: self.draws.interval(&differences),
        })
    }
}

impl JointCase {
    /// The first head's loss, then a Markov chain's.
    fn markov_nats(&self, counted: &Counted) -> f64 {
        let step = |pair: &[u32]| nats(counted.markov(Some(pair[0]), 1)[pair[1] as usize]);
        self.first_nats() + self.came.windows(2).map(step).sum::<f64>()
    }

    /// The heads' loss, each after the first times a `power` of how much likelier the Markov chain
    /// makes a theme after the one before than it is in general, normalised; 0 is the product.
    fn linked_nats(&self, counted: &Counted, power: f32) -> f64 {
        let share = counted.marginal();
        let step = |(pair, head): (&[u32], &Vec<f32>)| {
            let after = counted.markov(Some(pair[0]), 1);
            let each = head.iter().zip(after.iter().zip(&share));
            let weighed: Vec<f32> =
                each.map(|(p, (m, s))| p * (m / s.max(1e-9)).powf(power)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn case(came: [u32; 2], chain_nats: Option<f64>) -> JointCase {
        let heads = vec![vec![0.5, 0.5]; 2];
        let document = "a".to_owned();
        JointCase { document, segments: 2, ours_nats: 1.0, chain_nats, heads, came: came.into() }
    }

    #[test]
    fn heads_are_linked_as_far_as_themes_follow_each_other() {
        let train = vec![[0, 1, 0, 1, 0, 1].into(); 20];
        let counted = Counted::new(&train, &train, 2, 1);
        let follows = case([0, 1], None);
        assert!((follows.linked_nats(&counted, 0.0) - 4f64.ln()).abs() < 1e-6, "the product");
        assert!(follows.linked_nats(&counted, 1.0) < follows.linked_nats(&counted, 0.5));
        assert_eq!(best_power(&[follows], &counted), 1.0);
        assert_eq!(best_power(&[case([0, 0], None)], &counted), 0.0);
    }

    #[test]
    fn a_way_that_is_not_had_on_each_case_is_no_rival() {
        let train = vec![[0, 1, 0, 1].into(); 20];
        let counted = Counted::new(&train, &train, 2, 1);
        let story = Story {
            id: "a".to_owned(),
            cluster: 0,
            group: String::new(),
            prompt: String::new(),
            prompt_end: Vec::new(),
            segments: Vec::new(),
        };
        let ways = |chain_nats| {
            let cases = BySplit { test: vec![case([0, 1], chain_nats)], ..BySplit::default() };
            let reports = reports(&cases, (std::slice::from_ref(&story), &counted), (10, 1));
            assert_eq!((reports.len(), reports[0].cases), (1, 1));
            reports[0].rivals.iter().map(|one| one.way.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ways(Some(1.5)), ["product", "Markov", "linked", "chain alone"]);
        assert_eq!(ways(None), ["product", "Markov", "linked"]);
    }
}
