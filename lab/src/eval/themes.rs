//! One segment ahead, theme by theme.

use super::{metrics::Case, more_reports::ThemeReport};
use themecast_forecast::bundle::Theme;

/// Counts of (came, likeliest), *shape* `[themes][themes]`.
pub(super) fn confusion(cases: &[Case<'_>], themes: usize) -> Vec<Vec<u32>> {
    let mut counts = vec![vec![0; themes]; themes];
    for case in cases {
        counts[case.came as usize][case.likeliest()] += 1;
    }
    counts
}

/// How each theme of the catalogue is forecast.
pub(super) fn table(
    cases: &[Case<'_>],
    themes: &[Theme],
    confusion: &[Vec<u32>],
) -> Vec<ThemeReport> {
    let report = |(number, theme): (usize, &Theme)| {
        let came: u32 = confusion[number].iter().sum();
        let forecast: u32 = confusion.iter().map(|row| row[number]).sum();
        let both = f64::from(confusion[number][number]);
        let its = cases.iter().filter(|case| case.came as usize == number);
        let nats: f64 = its.map(Case::surprise).sum();
        let mass: f64 = cases.iter().map(|case| f64::from(case.forecast[number])).sum();
        ThemeReport {
            theme: theme.id.clone(),
            came,
            forecast,
            precision: (forecast > 0).then(|| both / f64::from(forecast)),
            recall: (came > 0).then(|| both / f64::from(came)),
            nll_nats: (came > 0).then(|| nats / f64::from(came)),
            bias: (mass - f64::from(came)) / cases.len().max(1) as f64,
        }
    };
    themes.iter().enumerate().map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_judged_by_its_own_cases() {
        let forecasts = [[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]];
        let came = [0, 1, 1];
        let cases: Vec<_> = forecasts
            .iter()
            .zip(came)
            .map(|(forecast, came)| Case {
                prompt: 0,
                outcome: (0, 0),
                forecast,
                came,
                present: None,
            })
            .collect();
        let confusion = confusion(&cases, 2);
        assert_eq!(confusion, [[1, 0], [1, 1]]);
        let theme = |id: &str| Theme {
            id: id.into(),
            name: String::new(),
            description: String::new(),
            share: 0.5,
        };
        let table = table(&cases, &[theme("a"), theme("b")], &confusion);
        assert_eq!((table[1].came, table[1].forecast), (2, 1));
        assert_eq!((table[1].precision, table[1].recall), (Some(1.0), Some(0.5)));
        assert!((table[1].bias - (1.3 - 2.0) / 3.0).abs() < 1e-6);
    }
}
