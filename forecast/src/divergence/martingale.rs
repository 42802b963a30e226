//! A sequential test that may be looked at after every segment.

/// The probability of a false alarm in an answer of any length.
pub const ALPHA: f32 = 0.01;
/// Shares of the wealth that are bet, side by side.
const BETS: [f64; 4] = [0.1, 0.3, 0.6, 0.9];

/// A test martingale: wealth from betting against the forecasts.
///
/// Wealth begins at 1. At each segment's end a share of it is bet on a payoff whose mean is at
/// most 1 where the forecasts are calibrated; several shares are bet side by side and the wealth
/// is their mean. It then is a non-negative supermartingale, so by Ville's inequality it ever
/// reaches `1/α` with probability at most α = 0.01, whatever the answer's length. The guarantee
/// holds as far as that mean does.
///
/// *Source* Shafer 2021, "Testing by betting"; Ville 1939; Waudby-Smith and Ramdas 2024.
#[derive(Debug, Clone, PartialEq)]
pub struct Martingale {
    logs: [f64; BETS.len()],
}

impl Default for Martingale {
    fn default() -> Self {
        Self { logs: [0.0; BETS.len()] }
    }
}

impl Martingale {
    /// A segment has ended with this payoff, 0 or more.
    pub fn bet(&mut self, payoff: f32) {
        for (log, bet) in self.logs.iter_mut().zip(BETS) {
            *log += (1.0 + bet * (f64::from(payoff) - 1.0)).max(1e-12).ln();
        }
    }

    /// The logarithm of the wealth as a fraction of its alarm level, of which 1 is the alarm; not
    /// below 0.
    pub fn score(&self) -> f32 {
        Self::joint(&[(1.0, self)])
    }

    /// The same of a wealth that was shared out between `all`, shares adding up to 1: a test of
    /// its own with the same guarantee.
    pub fn joint(all: &[(f64, &Self)]) -> f32 {
        let logs = || all.iter().flat_map(|(share, one)| one.logs.map(|log| (*share, log)));
        let most = logs().map(|(_, log)| log).fold(f64::NEG_INFINITY, f64::max);
        let mean = logs().map(|(share, log)| share * (log - most).exp()).sum::<f64>();
        let wealth = most + (mean / BETS.len() as f64).ln();
        (wealth / f64::from(1.0 / ALPHA).ln()).max(0.0) as f32
    }
}

/// What a bet on `theme` pays: how much likelier the `usual` shares make it than the forecast `p`
/// does (both *shape* `[themes]`). Its logarithm is the surprise minus the usual surprise at the
/// theme; its mean is 1 where the forecast is calibrated.
pub fn odds(p: &[f32], usual: &[f32], theme: usize) -> f32 {
    let at = |of: &[f32]| of.get(theme).copied().unwrap_or(0.0);
    at(usual) / at(p).max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wealth_is_the_mean_of_what_each_share_earns() {
        let mut martingale = Martingale::default();
        martingale.bet(3.0);
        martingale.bet(0.5);
        let earned = BETS.map(|bet| (1.0 + 2.0 * bet) * (1.0 - 0.5 * bet));
        let wealth = earned.iter().sum::<f64>() / 4.0;
        assert!((f64::from(martingale.score()) - wealth.ln() / 100f64.ln()).abs() < 1e-6);
        let other = Martingale::default();
        let joint = Martingale::joint(&[(0.75, &martingale), (0.25, &other)]);
        let wealth = 0.75 * wealth + 0.25;
        assert!((f64::from(joint) - wealth.ln() / 100f64.ln()).abs() < 1e-6);
        let mut lucky = Martingale::default();
        lucky.bet(0.1);
        assert_eq!(lucky.score(), 0.0);
    }

    #[test]
    fn a_theme_that_the_forecast_shares_with_usual_traffic_pays_nothing_extra() {
        assert_eq!(odds(&[0.5, 0.5], &[0.5, 0.5], 1), 1.0);
        assert_eq!(odds(&[0.9, 0.1], &[0.5, 0.5], 1), 5.0);
        let (p, usual) = ([0.7f32, 0.2, 0.1], [0.2f32, 0.3, 0.5]);
        let mean: f32 = (0..3).map(|theme| p[theme] * odds(&p, &usual, theme)).sum();
        assert!((mean - 1.0).abs() < 1e-6, "{mean}");
    }

    #[test]
    fn false_alarms_stay_below_their_guarantee() {
        let (p, usual) = ([0.7f32, 0.25, 0.05], [0.2f32, 0.3, 0.5]);
        let mut state = 1u64;
        let mut draw = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let x = (state >> 40) as f32 / (1u64 << 24) as f32;
            if x < p[0] { 0 } else { 1 + usize::from(x >= p[0] + p[1]) }
        };
        let answers = 4_000;
        let alarmed = (0..answers).filter(|_| {
            let mut martingale = Martingale::default();
            (0..100).any(|_| {
                martingale.bet(odds(&p, &usual, draw()));
                martingale.score() >= 1.0
            })
        });
        let share = alarmed.count() as f32 / answers as f32;
        assert!(share <= ALPHA, "{share}");
    }
}
