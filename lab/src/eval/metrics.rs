//! Scores of forecasts against what came.

use super::calibration::{Outcome, Told, calibration_error, error_by_chance};
use serde::{Deserialize, Serialize};

/// One forecast that can be scored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    /// The number of its prompt; resampling draws whole prompts.
    pub(super) prompt: usize,
    /// Which segment's theme is forecast.
    pub(super) outcome: Outcome,
    /// *Shape* `[themes]`.
    pub(super) forecast: &'a [f32],
    /// The theme that came.
    pub(super) came: u32,
    /// The theme of the present segment, where there is one.
    pub(super) present: Option<u32>,
}

impl Case<'_> {
    /// −ln p(the theme that came), in nats; at most 27.6, so that one zero does not decide all.
    pub(super) fn surprise(&self) -> f64 {
        -f64::from(self.forecast[self.came as usize]).max(1e-12).ln()
    }

    /// Whether the theme that came is among the `count` likeliest; of equals the first counts.
    pub(super) fn hit(&self, count: usize) -> bool {
        let came = self.came as usize;
        let p = self.forecast[came];
        let before = |(place, &q): (usize, &f32)| q > p || (q == p && place < came);
        self.forecast.iter().enumerate().filter(|&one| before(one)).count() < count
    }

    /// Whether the theme that came differs from the present one.
    pub(super) fn changes(&self) -> bool {
        self.present.is_some_and(|present| present != self.came)
    }

    /// The probability of the theme that came.
    fn p(&self) -> f32 {
        self.forecast[self.came as usize]
    }

    /// The probability of the likeliest theme, and whether it came.
    pub(super) fn sure(&self) -> Told {
        let p = self.forecast[self.likeliest()];
        Told { p, came: self.hit(1), outcome: self.outcome }
    }

    /// How many themes the set has: the likeliest one at least.
    fn set_size(&self, least: f32) -> f64 {
        self.forecast.iter().filter(|&&p| p >= least).count().max(1) as f64
    }

    /// Whether the conformal set of themes of at least this probability has the one that came.
    pub(super) fn covered(&self, least: f32) -> bool {
        self.p() >= least || self.hit(1)
    }

    fn brier(&self) -> f64 {
        let square: f64 = self.forecast.iter().map(|&p| f64::from(p).powi(2)).sum();
        square + 1.0 - 2.0 * f64::from(self.forecast[self.came as usize])
    }

    /// The theme with the largest probability.
    pub(super) fn likeliest(&self) -> usize {
        let best = |best: usize, place: usize| {
            if self.forecast[place] > self.forecast[best] { place } else { best }
        };
        (0..self.forecast.len()).fold(0, best)
    }
}

/// Scores of one model at one place and horizon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Forecasts that were scored.
    pub cases: usize,
    /// Share of cases whose likeliest theme came.
    pub top1: f64,
    /// Share of cases whose three likeliest themes have the one that came.
    pub top3: f64,
    /// Mean F1 over the themes that came or were forecast.
    pub macro_f1: f64,
    /// Mean −ln p(theme that came), in nats.
    pub nll_nats: f64,
    /// The share of the marginal's loss that the forecast removes: 0 knows nothing, 1 all.
    pub entropy_removed: Option<f64>,
    /// Mean squared distance of the forecast from what came, over all themes, 0 to 2.
    /// *Source* Brier 1950.
    pub brier: f64,
    /// Expected calibration error of the likeliest theme, 15 bins of equal mass.
    pub ece: f64,
    /// What perfectly calibrated forecasts with these probabilities would show by chance on so
    /// few segments: the mean of 100 draws.
    #[serde(default)]
    pub ece_by_chance: f64,
    /// 95 % of those draws show as much or less.
    #[serde(default)]
    pub ece_by_chance_most: f64,
    /// The same before temperature scaling: of a bundle, before the temperature that its mixed
    /// and averaged forecasts are served with.
    pub ece_before: Option<f64>,
    /// Share of cases whose conformal set has the theme that came; 0.9 is nominal.
    /// *Source* Sadinle, Lei and Wasserman 2019 (least ambiguous sets).
    pub coverage: Option<f64>,
    /// Mean size of the conformal set, in themes.
    pub set_size: Option<f64>,
    /// Top-1 of the cases whose theme differs from the present one.
    pub transitions_top1: Option<f64>,
}

/// What scoring needs besides the cases.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scale {
    /// What the logits were divided by.
    pub(super) temperature: Option<f32>,
    /// Themes of at least this probability are in the conformal set.
    pub(super) least: Option<f32>,
    /// The marginal's mean loss on the same cases, in nats.
    pub(super) marginal_nats: Option<f64>,
}

/// Scores `cases`; none where there are none.
pub(super) fn score(cases: &[Case<'_>], scale: Scale) -> Option<Scores> {
    if cases.is_empty() {
        return None;
    }
    let mean =
        |of: &dyn Fn(&Case<'_>) -> f64| cases.iter().map(of).sum::<f64>() / cases.len() as f64;
    let share = |of: &dyn Fn(&Case<'_>) -> bool| mean(&|case| f64::from(u8::from(of(case))));
    let changes: Vec<_> = cases.iter().filter(|case| case.changes()).collect();
    let change_hits = changes.iter().filter(|case| case.hit(1)).count();
    let nll_nats = mean(&|case| case.surprise());
    let sure: Vec<Told> = cases.iter().map(Case::sure).collect();
    let chance = error_by_chance(&sure);
    Some(Scores {
        cases: cases.len(),
        top1: share(&|case| case.hit(1)),
        top3: share(&|case| case.hit(3)),
        macro_f1: macro_f1(cases),
        nll_nats,
        entropy_removed: scale.marginal_nats.map(|marginal| 1.0 - nll_nats / marginal),
        brier: mean(&|case| case.brier()),
        ece: calibration_error(&sure),
        ece_by_chance: chance.mean,
        ece_by_chance_most: chance.most,
        ece_before: scale.temperature.map(|temperature| ece_at(cases, 1.0 / temperature)),
        coverage: scale.least.map(|least| share(&|case| case.covered(least))),
        set_size: scale.least.map(|least| mean(&|case| case.set_size(least))),
        transitions_top1: (!changes.is_empty()).then(|| change_hits as f64 / changes.len() as f64),
    })
}

/// The calibration error with every logit divided by `temperature` once more.
fn ece_at(cases: &[Case<'_>], temperature: f32) -> f64 {
    let sure = |case: &Case<'_>| {
        let powers = case.forecast.iter().map(|p| p.max(1e-30).powf(1.0 / temperature));
        let best = case.forecast[case.likeliest()].max(1e-30).powf(1.0 / temperature);
        Told { p: best / powers.sum::<f32>(), ..case.sure() }
    };
    calibration_error(&cases.iter().map(sure).collect::<Vec<_>>())
}

/// The probability from which a theme is in the conformal set, so that `level` of new cases have
/// theirs in it: split conformal with the score 1 − p.
///
/// *Source* Sadinle, Lei and Wasserman 2019; the finite-sample quantile of Vovk et al. 2005.
pub(super) fn least_probability(validation: &[Case<'_>], level: f64) -> Option<f32> {
    let mut p: Vec<f32> = validation.iter().map(Case::p).collect();
    p.sort_by(|a, b| b.total_cmp(a));
    let rank = ((p.len() + 1) as f64 * level).ceil() as usize;
    (!p.is_empty()).then(|| p.get(rank - 1).copied().unwrap_or(0.0))
}

fn macro_f1(cases: &[Case<'_>]) -> f64 {
    let themes = cases[0].forecast.len();
    let (mut both, mut forecast, mut came) =
        (vec![0u32; themes], vec![0u32; themes], vec![0u32; themes]);
    for case in cases {
        let (likeliest, theme) = (case.likeliest(), case.came as usize);
        forecast[likeliest] += 1;
        came[theme] += 1;
        both[theme] += u32::from(likeliest == theme);
    }
    let seen = (0..themes).filter(|&theme| forecast[theme] + came[theme] > 0);
    let f1: Vec<f64> = seen
        .map(|theme| 2.0 * f64::from(both[theme]) / f64::from(forecast[theme] + came[theme]))
        .collect();
    f1.iter().sum::<f64>() / f1.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(forecast: &[f32], came: u32) -> Case<'_> {
        Case { prompt: 0, outcome: (0, 0), forecast, came, present: Some(0) }
    }

    #[test]
    fn scores_are_those_worked_out_by_hand() {
        let cases = [
            case(&[0.7, 0.2, 0.1, 0.0], 0),
            case(&[0.1, 0.6, 0.2, 0.1], 2),
            case(&[0.25, 0.25, 0.25, 0.25], 3),
            case(&[0.0, 1.0, 0.0, 0.0], 1),
        ];
        let scale =
            Scale { temperature: Some(1.0), least: Some(0.2), marginal_nats: Some(4f64.ln()) };
        let scores = score(&cases, scale).unwrap();
        assert_eq!((scores.top1, scores.top3), (0.5, 0.75));
        let nats = -(0.7f64.ln() + 0.2f64.ln() + 0.25f64.ln() + 0.0) / 4.0;
        assert!((scores.nll_nats - nats).abs() < 1e-6);
        // F1: theme 0 2/3, theme 1 2/3, themes 2 and 3 none.
        assert!((scores.macro_f1 - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(scores.transitions_top1, Some(1.0 / 3.0));
        assert!((scores.brier - (0.14 + 1.02 + 0.75) / 4.0).abs() < 1e-6);
        // With one case a bin: gaps of .3, .6, .25 and 0.
        assert!((scores.ece - 1.15 / 4.0).abs() < 1e-6, "{}", scores.ece);
        assert!((scores.ece_before.unwrap() - scores.ece).abs() < 1e-6);
        // Sets of 2, 2, 4 and 1 themes; all have theirs.
        assert_eq!((scores.coverage, scores.set_size), (Some(1.0), Some(2.25)));
        assert!((scores.entropy_removed.unwrap() - (1.0 - nats / 4f64.ln())).abs() < 1e-6);
    }

    #[test]
    fn nine_in_ten_new_cases_are_covered() {
        let forecasts: Vec<[f32; 2]> =
            (0..200).map(|x| [x as f32 / 200.0, 1.0 - x as f32 / 200.0]).collect();
        let cases: Vec<_> = forecasts.iter().map(|forecast| case(forecast, 0)).collect();
        let least = least_probability(&cases, 0.9).unwrap();
        let scale = Scale { least: Some(least), ..Scale::default() };
        let coverage = score(&cases, scale).unwrap().coverage.unwrap();
        assert!((0.9..0.92).contains(&coverage), "{coverage}");
        assert_eq!(least_probability(&cases[..3], 0.9), Some(0.0));
    }

    #[test]
    fn a_certain_mistake_costs_much_but_not_everything() {
        assert!((case(&[1.0, 0.0], 1).surprise() - 27.63).abs() < 0.01);
    }
}
