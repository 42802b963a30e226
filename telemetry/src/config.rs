//! The `[telemetry]` table: every wrong value is named with its key and what would be right.

use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, fmt, ops::RangeInclusive, time::Duration};

/// How long an attempt may take at least and at most, in seconds.
const TIMEOUT: RangeInclusive<f64> = 0.1..=60.0;
/// The path of traces below an endpoint.
const TRACES: &str = "/v1/traces";
/// That of log records.
const LOGS: &str = "/v1/logs";

/// Where traces go to; without an endpoint nothing is exported.
///
/// ```toml
/// [telemetry]
/// endpoint = "http://localhost:4318"   # OTLP over HTTP; none unless given
/// service_name = "themecast"
/// sample_ratio = 1.0                   # of traces that no client has decided about
/// logs = true                          # alarms as log records; false: within their traces
/// timeout_secs = 10
/// headers = { authorization = "…" }    # sent with every batch, never shown
/// ```
#[derive(Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default, expecting = "a table, [telemetry]")]
pub struct Config {
    /// The base address of the receiver, http or https; `/v1/traces` and `/v1/logs` are appended.
    pub endpoint: Option<String>,
    /// The name of this service in traces.
    pub service_name: String,
    /// The share of traces that are exported, 0 to 1, among those that come without a client's
    /// decision: a client's `traceparent` has it.
    pub sample_ratio: f64,
    /// Whether alarms are log records, every one, whatever becomes of its trace. Otherwise they are
    /// events within their traces, for receivers of traces alone, and sampled with them.
    pub logs: bool,
    /// How long one export, and the last one at shutdown, may take: 0.1 to 60.
    pub timeout_secs: f64,
    /// Headers of every export, such as a receiver's key.
    pub headers: BTreeMap<String, String>,
}

/// A wrong `[telemetry]` table, as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("telemetry.{key}: {problem}")]
pub struct ConfigError {
    /// The key within the table.
    pub key: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            service_name: "themecast".to_owned(),
            sample_ratio: 1.0,
            logs: true,
            timeout_secs: 10.0,
            headers: BTreeMap::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = Self::deserialize(deserializer)?;
        config.check().map_err(de::Error::custom)?;
        Ok(config)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: BTreeMap<&str, &str> =
            self.headers.keys().map(|name| (&**name, "…")).collect();
        f.debug_struct("Config")
            .field("endpoint", &self.endpoint)
            .field("service_name", &self.service_name)
            .field("sample_ratio", &self.sample_ratio)
            .field("logs", &self.logs)
            .field("timeout_secs", &self.timeout_secs)
            .field("headers", &headers)
            .finish()
    }
}

impl Config {
    /// Whether every value is one that can be used.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.endpoint.as_deref().map_or(Ok(()), check_endpoint)?;
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            let problem = "write a share from 0 (only what clients ask for) to 1 (every trace)";
            return Err(wrong("sample_ratio", format!("is {}: {problem}", self.sample_ratio)));
        }
        if !TIMEOUT.contains(&self.timeout_secs) {
            let problem = format!("is {}: write seconds from 0.1 to 60", self.timeout_secs);
            return Err(wrong("timeout_secs", problem));
        }
        self.headers.iter().try_for_each(|(name, value)| check_header(name, value))
    }

    /// Where traces are posted to.
    pub(crate) fn traces_url(&self) -> Option<String> {
        self.url(TRACES)
    }

    /// Where alarms are posted to, if they are log records.
    pub(crate) fn logs_url(&self) -> Option<String> {
        self.logs.then(|| self.url(LOGS)).flatten()
    }

    fn url(&self, path: &str) -> Option<String> {
        let base = self.endpoint.as_deref()?.trim_end_matches('/');
        Some(format!("{base}{path}"))
    }

    /// `timeout_secs` within its limits.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout_secs.clamp(*TIMEOUT.start(), *TIMEOUT.end()))
    }
}

fn check_endpoint(endpoint: &str) -> Result<(), ConfigError> {
    let base = endpoint.trim_end_matches('/');
    let rest = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
    let problem = match rest {
        Some(host)
            if !host.is_empty() && ![TRACES, LOGS].iter().any(|path| base.ends_with(path)) =>
        {
            return Ok(());
        }
        Some(host) if !host.is_empty() => "leave /v1/traces and /v1/logs away: they are appended",
        _ => "is no web address: write one like http://localhost:4318",
    };
    Err(wrong("endpoint", problem.to_owned()))
}

/// What the HTTP client would silently leave away is refused; the value is never repeated.
fn check_header(name: &str, value: &str) -> Result<(), ConfigError> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let visible = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    let key = format!("headers.{name}");
    if name.is_empty() || !name.bytes().all(token) {
        return Err(wrong(&key, "is no name of a header: write letters, digits and -".to_owned()));
    }
    if !value.bytes().all(visible) {
        return Err(wrong(&key, "has a value beyond visible ASCII on one line".to_owned()));
    }
    Ok(())
}

fn wrong(key: &str, problem: String) -> ConfigError {
    ConfigError { key: key.to_owned(), problem }
}
