//! Numbers of the command line that have bounds: one beyond them is bad usage.

use clap::builder::RangedU64ValueParser;
use std::str::FromStr;
use themecast_forecast::bundle::MOST_HORIZONS;

/// Takes whole numbers of `least` or more.
pub(super) fn at_least<T: FromStr + 'static>(
    least: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text: &str| {
        let within = text.parse::<u64>().is_ok_and(|number| number >= least);
        let number = within.then(|| text.parse().ok()).flatten();
        number.ok_or_else(|| format!("want a whole number, {least} or more"))
    }
}

/// Takes as many horizons as a bundle may have.
pub(super) fn horizons() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::from(1..=MOST_HORIZONS as u64)
}

/// A sampling temperature, which logits of single precision are divided by.
pub(super) fn temperature(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|number| (0.0..=f64::from(f32::MAX)).contains(number));
    number.ok_or_else(|| "want a finite number, 0 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_their_bounds_are_refused() {
        let (samples, rounds) = (at_least::<u32>(1), at_least::<usize>(3));
        assert_eq!((samples("1"), rounds("3")), (Ok(1), Ok(3)));
        assert!(samples("0").is_err() && samples("4294967296").is_err() && rounds("2").is_err());
        assert!(samples("-1").is_err() && samples("1.5").is_err() && samples("").is_err());
        assert_eq!((temperature("0"), temperature("0.7")), (Ok(0.0), Ok(0.7)));
        for none in ["-0.1", "nan", "inf", "1e39", "warm"] {
            assert!(temperature(none).is_err(), "{none}");
        }
    }
}
