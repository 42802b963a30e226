//! Scores of forecasts against what came.

use serde::{Deserialize, Serialize};

/// How many equal-mass bins the calibration error has.
const BINS: usize = 15;

/// One forecast that can be scored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    /// The test document's number; resampling draws whole documents.
    pub(super) document: usize,
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

    fn brier(&self) -> f64 {
        let square: f64 = self.forecast.iter().map(|&p| f64::from(p).powi(2)).sum();
        square + 1.0 - 2.0 * f64::from(self.forecast[self.came as usize])
    }

    fn likeliest(&self) -> usize {
        let best = |best: usize, place: usize| {
            if self.forecast[place] > self.forecast[best] { place } else { best }
        };
        (0..self.forecast.len()).fold(0, best)
    }
}

/// Scores of one model at one place and horizon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Share of cases whose likeliest theme came.
    pub top1: f64,
    /// Share of cases whose three likeliest themes have the one that came.
    pub top3: f64,
    /// Mean F1 over the themes that came or were forecast.
    pub macro_f1: f64,
    /// Mean −ln p(theme that came), in nats.
    pub nll_nats: f64,
    /// Mean squared distance of the forecast from what came, over all themes, 0 to 2.
    /// *Source* Brier 1950.
    pub brier: f64,
    /// Expected calibration error of the likeliest theme, 15 bins of equal mass.
    /// *Source* Guo et al. 2017, Nguyen and O'Connor 2015.
    pub ece: f64,
    /// Top-1 of the cases whose theme differs from the present one.
    pub transitions_top1: Option<f64>,
}

/// Scores `cases`; none where there are none.
pub(super) fn score(cases: &[Case<'_>]) -> Option<Scores> {
    if cases.is_empty() {
        return None;
    }
    let share = |of: &dyn Fn(&Case<'_>) -> bool| {
        cases.iter().filter(|case| of(case)).count() as f64 / cases.len() as f64
    };
    let changed = |case: &&Case<'_>| case.present.is_some_and(|present| present != case.came);
    let changes = cases.iter().filter(changed).count();
    let change_hits = cases.iter().filter(changed).filter(|case| case.hit(1)).count();
    Some(Scores {
        top1: share(&|case| case.hit(1)),
        top3: share(&|case| case.hit(3)),
        macro_f1: macro_f1(cases),
        nll_nats: cases.iter().map(Case::surprise).sum::<f64>() / cases.len() as f64,
        brier: cases.iter().map(Case::brier).sum::<f64>() / cases.len() as f64,
        ece: calibration_error(cases),
        transitions_top1: (changes > 0).then(|| change_hits as f64 / changes as f64),
    })
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

fn calibration_error(cases: &[Case<'_>]) -> f64 {
    let mut sure: Vec<(f32, bool)> =
        cases.iter().map(|case| (case.forecast[case.likeliest()], case.hit(1))).collect();
    sure.sort_by(|a, b| a.0.total_cmp(&b.0));
    let edge = |bin: usize| bin * sure.len() / BINS;
    let gap = |bin: usize| {
        let cases = &sure[edge(bin)..edge(bin + 1)];
        let confidence: f64 = cases.iter().map(|case| f64::from(case.0)).sum();
        let hits = cases.iter().filter(|case| case.1).count() as f64;
        (confidence - hits).abs()
    };
    (0..BINS).map(gap).sum::<f64>() / sure.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(forecast: &[f32], came: u32) -> Case<'_> {
        Case { document: 0, forecast, came, present: Some(0) }
    }

    #[test]
    fn scores_are_those_worked_out_by_hand() {
        let cases = [
            case(&[0.7, 0.2, 0.1, 0.0], 0),
            case(&[0.1, 0.6, 0.2, 0.1], 2),
            case(&[0.25, 0.25, 0.25, 0.25], 3),
            case(&[0.0, 1.0, 0.0, 0.0], 1),
        ];
        let scores = score(&cases).unwrap();
        assert_eq!((scores.top1, scores.top3), (0.5, 0.75));
        let nats = -(0.7f64.ln() + 0.2f64.ln() + 0.25f64.ln() + 0.0) / 4.0;
        assert!((scores.nll_nats - nats).abs() < 1e-6);
        // F1: theme 0 2/3, theme 1 2/3, themes 2 and 3 none.
        assert!((scores.macro_f1 - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(scores.transitions_top1, Some(1.0 / 3.0));
        assert!((scores.brier - (0.14 + 1.02 + 0.75) / 4.0).abs() < 1e-6);
        // With one case a bin: gaps of .3, .6, .25 and 0.
        assert!((scores.ece - 1.15 / 4.0).abs() < 1e-6, "{}", scores.ece);
    }

    #[test]
    fn a_certain_mistake_costs_much_but_not_everything() {
        assert!((case(&[1.0, 0.0], 1).surprise() - 27.63).abs() < 0.01);
    }
}
