//! What the measures of a phrase's uncertainty tell: whether its forecast is wrong.

use super::{catalogue::Catalogue, corpus::Corpus, report::PhraseDoubt, unseen::Curve};
use crate::{Split, eval::bootstrap::Draws};
use std::collections::HashMap;
use themecast_forecast::{
    divergence::entropy_nats,
    linear::RowKind,
    open::{OpenHead, Phrase},
};

/// A theme's phrase at one test moment.
struct Case {
    document: usize,
    wrong: bool,
    entropy: f64,
    apart: f64,
}

/// The measures at boundaries and between them, over the phrases of the `themes` first of `phrases`,
/// as `head` serves them; none where it has no ensemble.
pub(super) fn reports(
    (corpus, head): (&Corpus, &OpenHead),
    (phrases, themes): (&Catalogue, usize),
    numbers: &HashMap<usize, usize>,
    draws: &Draws,
) -> Vec<PhraseDoubt> {
    let mut reports = Vec::new();
    for (place, kind) in [("boundary", RowKind::Boundary), ("between boundaries", RowKind::Mid)] {
        let cases = cases((corpus, head), kind, (phrases, themes), numbers);
        if cases.is_empty() {
            continue;
        }
        for (measure, of) in [
            ("entropy of the probability", (|case| case.entropy) as fn(&Case) -> f64),
            ("disagreement", |case| case.apart),
        ] {
            let told = cases.iter().map(|case| (of(case), case.document, case.wrong));
            let curve = Curve::of(told.collect());
            reports.push(PhraseDoubt {
                place: place.to_owned(),
                measure: measure.to_owned(),
                cases: cases.len(),
                wrong: cases.iter().filter(|case| case.wrong).count(),
                mean_nats: cases.iter().map(of).sum::<f64>() / cases.len() as f64,
                wrong_auroc: draws.statistic(|counts| curve.area(&|at| f64::from(counts[at]))),
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
            cases.push(Case {
                document,
                wrong: (chance.p > 0.5) != came,
                entropy: f64::from(entropy_nats(&[chance.p, 1.0 - chance.p])),
                apart: f64::from(apart),
            });
        }
    }
    cases
}
