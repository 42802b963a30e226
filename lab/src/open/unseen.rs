//! Judging phrases for themes that nothing was trained on.

use super::{
    catalogue::{Catalogue, NEVER},
    corpus::{Corpus, RowSet},
    fit::cosine,
    phrases::{LeftOut, PhraseCase, Unseen, logistic},
    report::{UnseenReport, UnseenTheme},
    text,
};
use crate::{Result, Split, eval::bootstrap::Draws};
use std::collections::HashMap;
use themecast_forecast::{bundle::Theme, open::probability};

/// Bins of the calibration error.
const BINS: usize = 15;
/// A theme is judged if it came, and stayed away, at least so often.
const LEAST: usize = 5;

/// A theme's phrase at one test moment, scored by everybody.
struct Judged {
    document: usize,
    came: bool,
    /// Our probability, calibrated on other themes.
    p: f64,
    /// Of the text regression, calibrated on other themes.
    text: f64,
    /// The phrase's cosine to the segment that was read last.
    continuation: f64,
}

/// What judging needs besides the cases.
pub(super) struct Setting<'a> {
    pub(super) corpus: &'a Corpus,
    /// The moments, all of one kind.
    pub(super) set: &'a RowSet,
    pub(super) themes: &'a [Theme],
    pub(super) phrases: &'a Catalogue,
    /// The number of each test answer.
    pub(super) numbers: &'a HashMap<usize, usize>,
    pub(super) within: usize,
}

/// Judges `ours` and `text`, the same cases of the validation and test splits.
///
/// # Errors
/// [`crate::LabError`] of calibrating.
pub(super) fn judge(
    setting: &Setting<'_>,
    ours: &[Unseen],
    text: &[Unseen],
    draws: &Draws,
) -> Result<UnseenReport> {
    let (mut kept, mut base, mut never) = (Vec::new(), Vec::new(), Vec::new());
    for (phrase, &theme) in setting.phrases.themes.iter().enumerate() {
        // The names alone only help to calibrate; a decoy is calibrated on the other decoys.
        if theme != NEVER && phrase >= setting.themes.len() {
            continue;
        }
        let weights = [calibrate(setting, ours, phrase)?, calibrate(setting, text, phrase)?];
        let pairs = ours[phrase].cases.iter().zip(&text[phrase].cases);
        let judged: Vec<Judged> =
            pairs.filter_map(|pair| judged(setting, phrase, pair, &weights)).collect();
        if theme == NEVER {
            never.extend(judged);
            continue;
        }
        let came = judged.iter().filter(|one| one.came).count();
        base.push((came, judged.len()));
        if came >= LEAST && judged.len() - came >= LEAST {
            kept.push((phrase, judged));
        }
    }
    let (came, all) = base.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let themes = kept.iter().map(|(theme, judged)| of_theme(setting, ours, *theme, judged));
    let rate = came as f64 / all.max(1) as f64;
    let mut report = report(setting.within, themes.collect(), &kept, rate, draws);
    report.never = draws.mean(never.iter().map(|one| (one.document, one.p)));
    report.never_above_half =
        draws.mean(never.iter().map(|one| (one.document, f64::from(u8::from(one.p > 0.5)))));
    Ok(report)
}

/// The logistic regression from the validation cases of the phrases for all other themes.
fn calibrate(setting: &Setting<'_>, unseen: &[Unseen], phrase: usize) -> Result<Vec<f32>> {
    let themes = &setting.phrases.themes;
    let same = |other: usize| match themes[phrase] {
        NEVER => other == phrase,
        theme => themes[other] == theme,
    };
    let others = unseen.iter().enumerate().filter(|(other, _)| !same(*other));
    let cases = others.flat_map(|(_, one)| &one.cases);
    logistic(cases.filter(|case| setting.corpus.split(case.origin) == Split::Validation))
}

fn judged(
    setting: &Setting<'_>,
    phrase: usize,
    (ours, read): (&PhraseCase, &PhraseCase),
    [ours_weights, text_weights]: &[Vec<f32>; 2],
) -> Option<Judged> {
    let document = *setting.numbers.get(&ours.origin.answer)?;
    let last = text::last(setting.corpus, setting.set, ours.row)?;
    Some(Judged {
        document,
        came: ours.came,
        p: f64::from(probability(ours_weights, &ours.inputs)),
        text: f64::from(probability(text_weights, &read.inputs)),
        continuation: f64::from(cosine(setting.phrases.embeddings.row(phrase), last)),
    })
}

fn of_theme(
    setting: &Setting<'_>,
    ours: &[Unseen],
    theme: usize,
    judged: &[Judged],
) -> UnseenTheme {
    let of = |score: fn(&Judged) -> f64| {
        Curve::new(judged.iter(), score).area(&|_| 1.0).unwrap_or(f64::NAN)
    };
    UnseenTheme {
        theme: setting.themes[theme].id.clone(),
        left_out: match ours[theme].left_out {
            LeftOut::Answers => "answers".to_owned(),
            LeftOut::Segments => "segments".to_owned(),
        },
        cases: judged.len(),
        came: judged.iter().filter(|one| one.came).count(),
        auroc: of(|one| one.p),
        text_auroc: of(|one| one.text),
        continuation_auroc: of(|one| one.continuation),
        mean_probability: judged.iter().map(|one| one.p).sum::<f64>() / judged.len() as f64,
    }
}

fn report(
    within: usize,
    themes: Vec<UnseenTheme>,
    kept: &[(usize, Vec<Judged>)],
    rate: f64,
    draws: &Draws,
) -> UnseenReport {
    let curves = |score: fn(&Judged) -> f64| -> Vec<Curve> {
        kept.iter().map(|(_, judged)| Curve::new(judged.iter(), score)).collect()
    };
    let (ours, text, continuation) =
        (curves(|one| one.p), curves(|one| one.text), curves(|one| one.continuation));
    let all = || kept.iter().flat_map(|(_, judged)| judged);
    let pooled = Curve::new(all(), |one| one.p);
    let above = |other: &[Curve]| {
        draws.statistic(|counts| Some(mean_area(&ours, counts)? - mean_area(other, counts)?))
    };
    let outcome = |one: &Judged| f64::from(u8::from(one.came));
    let squares = |of: &dyn Fn(&Judged) -> f64| {
        draws.mean(all().map(|one| (one.document, (of(one) - outcome(one)).powi(2))))
    };
    UnseenReport {
        within,
        auroc: draws.statistic(|counts| mean_area(&ours, counts)),
        text_auroc: draws.statistic(|counts| mean_area(&text, counts)),
        above_text: above(&text),
        continuation_auroc: draws.statistic(|counts| mean_area(&continuation, counts)),
        above_continuation: above(&continuation),
        pooled_auroc: draws.statistic(|counts| pooled.area(&|at| f64::from(counts[at]))),
        ece: draws.statistic(|counts| pooled.calibration_error(&|at| f64::from(counts[at]))),
        brier: squares(&|one| one.p),
        base_brier: squares(&|_| rate),
        never: None,
        never_above_half: None,
        themes,
    }
}

fn mean_area(curves: &[Curve], counts: &[u32]) -> Option<f64> {
    let areas: Vec<f64> =
        curves.iter().filter_map(|one| one.area(&|at| f64::from(counts[at]))).collect();
    (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
}

/// Cases by rising score: `(score, document, came)`.
struct Curve(Vec<(f64, usize, bool)>);

impl Curve {
    fn new<'j>(cases: impl Iterator<Item = &'j Judged>, score: fn(&Judged) -> f64) -> Self {
        let mut all: Vec<_> = cases.map(|one| (score(one), one.document, one.came)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(all)
    }

    /// The chance that a case that came has a higher score than one that did not, ties by half;
    /// `weight` says how much each document counts. None where only one sort has weight.
    fn area(&self, weight: &dyn Fn(usize) -> f64) -> Option<f64> {
        let (mut below, mut hits, mut won) = (0.0, 0.0, 0.0);
        for equal in self.0.chunk_by(|a, b| a.0 == b.0) {
            let sum = |came: bool| -> f64 {
                equal.iter().filter(|one| one.2 == came).map(|one| weight(one.1)).sum()
            };
            let (came, stayed) = (sum(true), sum(false));
            won += came * (below + stayed / 2.0);
            hits += came;
            below += stayed;
        }
        (hits > 0.0 && below > 0.0).then(|| won / (hits * below))
    }

    /// The expected calibration error, taking scores as probabilities.
    fn calibration_error(&self, weight: &dyn Fn(usize) -> f64) -> Option<f64> {
        let total: f64 = self.0.iter().map(|one| weight(one.1)).sum();
        let mut bins = [(0.0, 0.0); BINS];
        let mut so_far = 0.0;
        for (score, document, came) in &self.0 {
            let mass = weight(*document);
            let bin = ((so_far / total.max(1.0) * BINS as f64) as usize).min(BINS - 1);
            bins[bin].0 += mass * score;
            bins[bin].1 += mass * f64::from(u8::from(*came));
            so_far += mass;
        }
        let gaps: f64 = bins.iter().map(|(p, came)| (p - came).abs()).sum();
        (total > 0.0).then(|| gaps / total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_and_errors_are_those_worked_out_by_hand() {
        let curve = Curve(vec![(0.1, 0, false), (0.4, 1, true), (0.4, 2, false), (0.9, 3, true)]);
        // Pairs: .4 beats .1 and ties with .4; .9 beats both.
        assert_eq!(curve.area(&|_| 1.0), Some(3.5 / 4.0));
        assert_eq!(curve.area(&|at| if at == 2 { 0.0 } else { 1.0 }), Some(1.0));
        assert_eq!(curve.area(&|at| f64::from(u8::from(at == 1))), None);
        // One case a bin: gaps of .1, .6, .4 and .1.
        let error = curve.calibration_error(&|_| 1.0).unwrap();
        assert!((error - 1.2 / 4.0).abs() < 1e-9, "{error}");
    }
}
