//! Whole chains at once: the joint loss of the segments that came, beside other ways to a joint
//! distribution. Of the linear heads: their product, the first of them followed by a Markov chain, all
//! of them linked by that chain's ratios. Of the bundle: its own distributions of single segments linked
//! or followed by what its chain predictor says comes next, and that predictor alone.

use super::{
    bootstrap::{Draws, PerPrompt},
    events::{BySplit, Story, clusters},
    more_reports::{JointReport, JointRival},
};
use crate::{
    counted::Counted,
    replay::{Moment, target},
    train::link::POWERS,
};
use std::collections::HashMap;
use themecast_forecast::{
    bundle::Bundle,
    chains::{Course, Link, LinkCard, Strength},
    linear::RowKind,
    predict::Foresight,
};

/// The longest chains that are scored, in segments.
const LONGEST: usize = 3;

/// One chain that came after a boundary.
#[derive(Debug, Clone)]
pub(super) struct JointCase {
    document: String,
    /// As it is served.
    ours_nats: f64,
    /// By the linear heads, *shape* `[segments, themes]`.
    heads: Vec<Vec<f32>>,
    /// The bundle's own, each segment by itself; *shape* `[segments, themes]`.
    own: Vec<Vec<f32>>,
    /// The chain predictor's, each given those that came before; *shape* `[segments, themes]`, nothing
    /// in a bundle without one.
    chain: Option<Vec<Vec<f32>>>,
    came: Vec<usize>,
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
    let course = foresight.course(bundle);
    let unlinked = Course { link: None, ..course };
    let alone = course.chain.map(|(_, outlook)| {
        let following = unlinked.following(&came[..came.len().saturating_sub(1)]);
        [vec![outlook.steps[0].clone()], following].concat()
    });
    for segments in 2..=came.len() {
        into.push(JointCase {
            document: id.to_owned(),
            ours_nats: nats(course.joint(&came[..segments])),
            heads: all[..segments].to_vec(),
            own: foresight.steps[..segments].to_vec(),
            chain: alone.as_ref().map(|alone| alone[..segments].to_vec()),
            came: came[..segments].to_vec(),
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
    let link = &unset(counted.ratios());
    let of_length = |segments: usize| {
        let of = |cases: &[JointCase]| -> Vec<JointCase> {
            cases.iter().filter(|case| case.came.len() == segments).cloned().collect()
        };
        let validation = of(&cases.validation);
        let heads = |power: f32| move |case: &JointCase| case.linked_nats(link, &case.heads, power);
        let own = |power: f32| move |case: &JointCase| case.linked_nats(link, &case.own, power);
        let (head_power, own_power) = (best(&validation, heads), best(&validation, own));
        let known = |case: &JointCase| clusters.contains_key(case.document.as_str());
        let cases: Vec<JointCase> = of(&cases.test).into_iter().filter(known).collect();
        let paired = Paired { cases: &cases, clusters: &clusters, prompts: count, draws: &draws };
        let rivals = [
            paired.rival("product", None, |case| Some(heads(0.0)(case))),
            paired.rival("Markov", None, |case| Some(case.markov_nats(counted))),
            paired.rival("linked", Some(head_power), |case| Some(heads(head_power)(case))),
            paired.rival("own linked", Some(own_power), |case| Some(own(own_power)(case))),
            paired.rival("own chain", None, JointCase::own_chain_nats),
            paired.rival("chain alone", None, JointCase::chain_nats),
        ];
        (!cases.is_empty()).then(|| JointReport {
            segments,
            cases: cases.len(),
            ours_nats: mean(cases.iter().map(|case| case.ours_nats), cases.len()),
            rivals: rivals.into_iter().flatten().collect(),
        })
    };
    (2..=LONGEST).filter_map(of_length).collect()
}

/// Links of these `ratios`, whose strength is told each time.
fn unset(ratios: Vec<f32>) -> Link {
    Link { card: LinkCard { boundary: Vec::new(), mid: Vec::new() }, ratios }
}

/// The power with which `nats` is least on the `validation` cases.
fn best<F: Fn(&JointCase) -> f64>(validation: &[JointCase], nats: impl Fn(f32) -> F) -> f32 {
    let loss = |power| validation.iter().map(nats(power)).sum::<f64>();
    let losses = POWERS.map(|power| (loss(power), power));
    losses.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |best| best.1)
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
    fn rival(
        &self,
        way: &str,
        power: Option<f32>,
        nats: impl Fn(&JointCase) -> Option<f64>,
    ) -> Option<JointRival> {
        let losses: Vec<f64> = self.cases.iter().map(nats).collect::<Option<_>>()?;
        let mut differences = vec![PerPrompt::default(); self.prompts];
        for (case, loss) in self.cases.iter().zip(&losses) {
            differences[self.clusters[case.document.as_str()]].add(case.ours_nats - loss);
        }
        Some(JointRival {
            way: way.to_owned(),
            power,
            nats: mean(losses.iter().copied(), losses.len()),
            ours_minus_interval: self.draws.interval(&differences),
        })
    }
}

impl JointCase {
    /// The first head's loss, then a Markov chain's.
    fn markov_nats(&self, counted: &Counted) -> f64 {
        let after = |pair: &[usize]| counted.markov(Some(pair[0] as u32), 1)[pair[1]];
        let steps = self.came.windows(2).map(after).map(nats);
        nats(self.heads[0][self.came[0]]) + steps.sum::<f64>()
    }

    /// The loss of `single`, distributions of each segment by itself (*shape* `[segments, themes]`),
    /// each after the first linked to the one before by the ratios to their `power`.
    fn linked_nats(&self, link: &Link, single: &[Vec<f32>], power: f32) -> f64 {
        let strength = Strength { power, chain: 0.0 };
        let pairs = self.came.windows(2).zip(&single[1..]);
        let step = |(pair, single): (&[usize], &Vec<f32>)| {
            nats(link.after(pair[0], single, strength, None)[pair[1]])
        };
        nats(single[0][self.came[0]]) + pairs.map(step).sum::<f64>()
    }

    /// The loss of the chain predictor by itself.
    fn chain_nats(&self) -> Option<f64> {
        let steps = self.chain.as_ref()?.iter().zip(&self.came);
        Some(steps.map(|(p, &came)| nats(p[came])).sum())
    }

    /// The same with the bundle's own distribution of the first segment.
    fn own_chain_nats(&self) -> Option<f64> {
        let (own, chain) = (&self.own[0], &self.chain.as_ref()?[0]);
        let first = self.came[0];
        Some(self.chain_nats()? - nats(chain[first]) + nats(own[first]))
    }
}

fn nats(p: f32) -> f64 {
    -f64::from(p.max(1e-30).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(came: [usize; 2], chain: Option<[f32; 2]>) -> JointCase {
        JointCase {
            document: "a".to_owned(),
            ours_nats: 1.0,
            heads: vec![vec![0.5, 0.5]; 2],
            own: vec![vec![0.25, 0.75]; 2],
            chain: chain.map(|p| vec![vec![0.5, 0.5], p.to_vec()]),
            came: came.into(),
        }
    }

    fn counted() -> Counted {
        let train = vec![[0, 1, 0, 1, 0, 1].into(); 20];
        Counted::new(&train, &train, 2, 1)
    }

    #[test]
    fn heads_are_linked_as_far_as_themes_follow_each_other() {
        let link = &unset(counted().ratios());
        let linked =
            |power: f32| move |case: &JointCase| case.linked_nats(link, &case.heads, power);
        let follows = case([0, 1], None);
        assert!((linked(0.0)(&follows) - 4f64.ln()).abs() < 1e-6, "the product");
        assert!(linked(1.0)(&follows) < linked(0.5)(&follows));
        assert_eq!(best(&[follows], linked), 1.0);
        assert_eq!(best(&[case([0, 0], None)], linked), 0.0);
    }

    #[test]
    fn a_chain_loses_what_it_says_of_each_segment() {
        let case = case([0, 1], Some([0.2, 0.8]));
        assert!((case.chain_nats().unwrap() + (0.5f64 * 0.8).ln()).abs() < 1e-6);
        assert!((case.own_chain_nats().unwrap() + (0.25f64 * 0.8).ln()).abs() < 1e-6);
    }

    #[test]
    fn a_way_that_is_not_had_on_each_case_is_no_rival() {
        let story = Story {
            id: "a".to_owned(),
            cluster: 0,
            group: String::new(),
            prompt: String::new(),
            prompt_end: Vec::new(),
            segments: Vec::new(),
        };
        let ways = |chain| {
            let cases = BySplit { test: vec![case([0, 1], chain)], ..BySplit::default() };
            let reports = reports(&cases, (std::slice::from_ref(&story), &counted()), (10, 1));
            assert_eq!((reports.len(), reports[0].cases), (1, 1));
            reports[0].rivals.iter().map(|one| one.way.clone()).collect::<Vec<_>>()
        };
        let without = ["product", "Markov", "linked", "own linked"];
        assert_eq!(ways(None), without);
        let with = ["product", "Markov", "linked", "own linked", "own chain", "chain alone"];
        assert_eq!(ways(Some([0.2, 0.8])), with);
    }
}
