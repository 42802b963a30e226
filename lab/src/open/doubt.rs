//! What the disagreement about phrases tells: whether their probabilities are off where it is large.

use super::{catalogue::Catalogue, corpus::Corpus, report::PhraseDoubt};
use crate::{Split, eval::bootstrap::Draws};
use std::collections::HashMap;
use themecast_forecast::{
    divergence::entropy_nats,
    linear::RowKind,
    open::{OpenHead, Phrase},
};

/// Into how many groups of equal size moments fall by their disagreement.
const GROUPS: usize = 4;

/// A theme's phrase at one test moment.
struct Case {
    document: usize,
    p: f64,
    came: bool,
    apart: f64,
}

impl Case {
    /// The surprise at what happened minus the forecast's own entropy, in nats: 0 in the mean where
    /// probabilities hold up.
    fn excess_nats(&self) -> f64 {
        let happened = if self.came { self.p } else { 1.0 - self.p };
        let own = [self.p as f32, 1.0 - self.p as f32];
        -happened.max(f64::MIN_POSITIVE).ln() - f64::from(entropy_nats(&own))
    }
}

/// The quarters of moments from the least to the most disagreement, at boundaries and between them,
/// over the phrases of the `themes` first of `phrases`, as `head` serves them; none where it has no
/// ensemble.
pub(super) fn reports(
    (corpus, head): (&Corpus, &OpenHead),
    (phrases, themes): (&Catalogue, usize),
    numbers: &HashMap<usize, usize>,
    draws: &Draws,
) -> Vec<PhraseDoubt> {
    let mut reports = Vec::new();
    for kind in [RowKind::Boundary, RowKind::Mid] {
        let mut cases = cases((corpus, head), kind, (phrases, themes), numbers);
        cases.sort_by(|a, b| a.apart.total_cmp(&b.apart));
        for group in 0..GROUPS {
            let bound = |group: usize| group * cases.len() / GROUPS;
            let cases = &cases[bound(group)..bound(group + 1)];
            if cases.is_empty() {
                continue;
            }
            let mean =
                |of: fn(&Case) -> f64| cases.iter().map(of).sum::<f64>() / cases.len() as f64;
            reports.push(PhraseDoubt {
                place: super::place(kind).to_owned(),
                group: group + 1,
                cases: cases.len(),
                disagreement_nats: mean(|case| case.apart),
                mean_probability: mean(|case| case.p),
                came: mean(|case| f64::from(u8::from(case.came))),
                excess_nats: draws.mean(cases.iter().map(|one| (one.document, one.excess_nats()))),
            });
        }
    }
    reports
}

fn cases(
    (corpus, head): (&Corpus, &OpenHead),
    kind: RowKind,
    (phrases, themes): (&Catalogue, usize),
    numbers: &HashMap<usize, usize>,
) -> Vec<Case> {
    let (set, calibration) = (corpus.set(kind), head.calibration(kind));
    let phrase = |theme: usize| {
        let embedding = phrases.embeddings.row(theme).to_vec();
        (phrases.themes[theme], Phrase::new(head, kind, &embedding))
    };
    let watched: Vec<(u32, Phrase)> = (0..themes).map(phrase).collect();
    let (mut cases, mut latents) = (Vec::new(), Vec::new());
    for (row, &origin) in set.rows.rows().into_iter().zip(&set.origins) {
        let test = numbers.get(&origin.answer).filter(|_| corpus.split(origin) == Split::Test);
        let Some(&document) = test else { continue };
        head.set(kind).latents(&mut row.to_vec(), &mut latents);
        for (theme, phrase) in &watched {
            let Some(came) = corpus.comes(origin, head.card.horizons, *theme) else { continue };
            let chance = phrase.chance(calibration, &latents);
            let Some(apart) = chance.disagreement_nats else { return Vec::new() };
            let (p, apart) = (f64::from(chance.p), f64::from(apart));
            cases.push(Case { document, p, came, apart });
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_as_often_as_it_comes_has_no_excess_in_the_mean() {
        let case = |came| Case { document: 0, p: 0.25, came, apart: 0.0 };
        let mean = 0.25 * case(true).excess_nats() + 0.75 * case(false).excess_nats();
        assert!(mean.abs() < 1e-6, "{mean}");
        assert!(case(true).excess_nats() > 0.5 && case(false).excess_nats() < 0.0);
    }
}
