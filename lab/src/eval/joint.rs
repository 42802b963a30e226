//! Whole chains at once: the joint loss of the segments that came, beside other ways to a joint
//! distribution: the product of the linear heads' distributions, the first of them followed by a
//! Markov chain, all of them linked by that chain's ratios, the chain predictor without the linear
//! heads that it is mixed with, the bundle's own distributions linked, and those averaged with what
//! its chain says comes after each theme.

use super::{
    bootstrap::{Draws, PerPrompt},
    chains::Counted,
    events::{BySplit, Story, clusters},
    more_reports::{JointReport, JointRival},
};
use crate::replay::{Moment, target};
use std::collections::HashMap;
use themecast_forecast::{bundle::Bundle, chain::Mix, linear::RowKind, predict::Foresight};

/// The longest chains that are scored, in segments.
const LONGEST: usize = 3;

/// Powers of the Markov chain's ratios; the one that validates best is taken.
const POWERS: [f32; 8] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0];

/// Shares of what the bundle's chain says beside linked distributions; likewise.
const SHARES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

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
    /// The bundle's own, each segment by itself; *shape* `[segments, themes]`.
    own: Vec<Vec<f32>>,
    /// What its chain says comes after those that came before, from the second segment on; *shape*
    /// `[segments − 1, themes]`, empty in a bundle without a chain.
    following: Vec<Vec<f32>>,
    came: Vec<u32>,
}

/// How distributions of single segments are linked to those of chains.
#[derive(Debug, Clone, Copy)]
struct Link {
    /// Of how much likelier the Markov chain makes a theme after the one before.
    power: f32,
    /// The share in log space of what the bundle's chain says, 0 to 1.
    chain: f32,
}

/// Each segment by itself.
const UNLINKED: Link = Link { power: 0.0, chain: 0.0 };

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
            own: foresight.momentary[..segments].to_vec(),
            following: (1..segments)
                .filter_map(|place| foresight.following(bundle, &came[..place]))
                .collect(),
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
        let validation = of(&cases.validation);
        let linked =
            |link: Link| move |case: &JointCase| case.linked_nats(counted, &case.heads, link);
        let own = |link: Link| move |case: &JointCase| case.linked_nats(counted, &case.own, link);
        let by_power = |chain: f32| POWERS.map(|power| Link { power, chain });
        let head_link = best(&validation, by_power(0.0), linked);
        let own_link = best(&validation, by_power(0.0), own);
        let both = best(&validation, SHARES.map(by_power).concat(), own);
        let known = |case: &JointCase| clusters.contains_key(case.document.as_str());
        let cases: Vec<JointCase> = of(&cases.test).into_iter().filter(known).collect();
        let paired = Paired { cases: &cases, clusters: &clusters, prompts: count, draws: &draws };
        let rivals = [
            paired.rival("product", None, |case| Some(linked(UNLINKED)(case))),
            paired.rival("Markov", None, |case| Some(case.markov_nats(counted))),
            paired.rival("linked", Some(head_link), |case| Some(linked(head_link)(case))),
            paired.rival("chain alone", None, |case| case.chain_nats),
            paired.rival("own linked", Some(own_link), |case| Some(own(own_link)(case))),
            paired.rival("both", Some(both), |case| case.chain_nats.map(|_| own(both)(case))),
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

/// The link with which `nats` is least on the `validation` cases.
fn best<F: Fn(&JointCase) -> f64>(
    validation: &[JointCase],
    links: impl IntoIterator<Item = Link>,
    nats: impl Fn(Link) -> F,
) -> Link {
    let loss = |link| validation.iter().map(nats(link)).sum::<f64>();
    let losses = links.into_iter().map(|link| (loss(link), link));
    let best = losses.min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(UNLINKED, |best| best.1)
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
        link: Option<Link>,
        nats: impl Fn(&JointCase) -> Option<f64>,
    ) -> Option<JointRival> {
        let losses: Vec<f64> = self.cases.iter().map(nats).collect::<Option<_>>()?;
        let mut differences = vec![PerPrompt::default(); self.prompts];
        for (case, loss) in self.cases.iter().zip(&losses) {
            differences[self.clusters[case.document.as_str()]].add(case.ours_nats - loss);
        }
        Some(JointRival {
            way: way.to_owned(),
            link: link.map(|link| (link.power, link.chain)),
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

    /// The loss of `single`, distributions of each segment by itself (*shape* `[segments, themes]`):
    /// each after the first is weighed by how much likelier the Markov chain makes a theme after the
    /// one before than it is in general, and averaged with what the bundle's chain says.
    fn linked_nats(&self, counted: &Counted, single: &[Vec<f32>], link: Link) -> f64 {
        let share = counted.marginal();
        let steps = self.came.windows(2).zip(&single[1..]).enumerate();
        let step = |(at, (pair, single)): (usize, (&[u32], &Vec<f32>))| {
            let after = counted.markov(Some(pair[0]), 1);
            let each = single.iter().zip(after.iter().zip(&share));
            let mut p: Vec<f32> =
                each.map(|(p, (m, s))| p * (m / s.max(1e-9)).powf(link.power)).collect();
            if let Some(following) = self.following.get(at) {
                let mix = Mix { weight: 1.0 - link.chain, temperature: 1.0 };
                normalise(&mut p);
                mix.apply(&mut p, following);
            }
            normalise(&mut p);
            nats(p[pair[1] as usize])
        };
        nats(single[0][self.came[0] as usize]) + steps.map(step).sum::<f64>()
    }

    fn first_nats(&self) -> f64 {
        nats(self.heads[0][self.came[0] as usize])
    }
}

fn normalise(p: &mut [f32]) {
    let sum = p.iter().sum::<f32>().max(1e-9);
    p.iter_mut().for_each(|p| *p /= sum);
}

fn nats(p: f32) -> f64 {
    -f64::from(p.max(1e-9).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(came: [u32; 2], chain_nats: Option<f64>) -> JointCase {
        JointCase {
            document: "a".to_owned(),
            segments: 2,
            ours_nats: 1.0,
            chain_nats,
            heads: vec![vec![0.5, 0.5]; 2],
            own: vec![vec![0.5, 0.5]; 2],
            following: chain_nats.map(|_| vec![0.0, 1.0]).into_iter().collect(),
            came: came.into(),
        }
    }

    #[test]
    fn heads_are_linked_as_far_as_themes_follow_each_other() {
        let train = vec![[0, 1, 0, 1, 0, 1].into(); 20];
        let counted = &Counted::new(&train, &train, 2, 1);
        let follows = case([0, 1], None);
        let linked =
            |link: Link| move |case: &JointCase| case.linked_nats(counted, &case.heads, link);
        let by = |power: f32| Link { power, chain: 0.0 };
        assert!((linked(UNLINKED)(&follows) - 4f64.ln()).abs() < 1e-6, "the product");
        assert!(linked(by(1.0))(&follows) < linked(by(0.5))(&follows));
        assert_eq!(best(&[follows], POWERS.map(by), linked).power, 1.0);
        assert_eq!(best(&[case([0, 0], None)], POWERS.map(by), linked).power, 0.0);
        // What the chain is sure of counts by its share alone.
        let sure = case([0, 1], Some(0.0));
        let shares = SHARES.map(|chain| Link { power: 0.0, chain });
        assert_eq!(best(std::slice::from_ref(&sure), shares, linked).chain, 1.0);
        assert!((linked(Link { power: 0.0, chain: 1.0 })(&sure) - 2f64.ln()).abs() < 1e-4);
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
        let without = ["product", "Markov", "linked", "own linked"];
        assert_eq!(ways(None), without);
        let with = ["product", "Markov", "linked", "chain alone", "own linked", "both"];
        assert_eq!(ways(Some(1.5)), with);
    }
}
