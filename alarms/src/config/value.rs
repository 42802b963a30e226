//! Single values: what is taken, and what stands in for one that is not given.

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};
use std::{fmt, time::Duration};

pub(super) fn default_secret_env() -> String {
    "THEMECAST_WEBHOOK_SECRET".to_owned()
}

pub(super) fn default_timeout() -> Duration {
    Duration::from_secs(5)
}

pub(super) fn default_attempts() -> usize {
    5
}

pub(super) fn default_backoff() -> Duration {
    Duration::from_millis(500)
}

pub(super) fn default_queue() -> usize {
    256
}

/// The name of an environment variable. The text is never repeated: a secret that was written here
/// by mistake must not end up in a terminal's history or a log.
pub(super) fn variable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(plain)
    {
        return Err(Error::custom(
            "is no name of an environment variable (A-Z, 0-9 and _): write the variable's name, \
             not the secret",
        ));
    }
    Ok(name)
}

/// A whole number from 1 to `MOST`.
pub(super) fn whole<'de, const MOST: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<usize, D::Error> {
    deserializer.deserialize_i64(Whole { most: MOST })
}

/// Seconds, whole or with a fraction, from 0.01 to 60.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Seconds)
}

struct Whole {
    most: usize,
}

impl Visitor<'_> for Whole {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 1 to {}", self.most)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<usize, E> {
        let number = usize::try_from(value).ok().filter(|n| (1..=self.most).contains(n));
        number.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }
}

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds from 0.01 to 60")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Duration, E> {
        let seconds = u64::try_from(value).ok().filter(|s| (1..=60).contains(s));
        let seconds = seconds.map(Duration::from_secs);
        seconds.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Duration, E> {
        if (0.01..=60.0).contains(&value) {
            Ok(Duration::from_secs_f64(value))
        } else {
            Err(E::invalid_value(Unexpected::Float(value), &self))
        }
    }
}
