//! The `[alarms]` table: every wrong value is named with its key and what would be right.

mod value;

use crate::policy::Policies;
use reqwest::Url;
use serde::{Deserialize, Deserializer, de};
use std::{fmt, path::PathBuf, time::Duration};

/// What is done about alarms; without any of it they are all left to annotations.
///
/// ```toml
/// [alarms]
/// log = "alarms.jsonl"          # a line of JSON each; none unless named
/// include_text = false          # whether excerpts of answers may go to log and webhook
/// fail = "open"                 # where a policy is stop: what of answers that can't be watched
/// [alarms.policy]               # annotate, webhook, stop, shadow, shadow_webhook or off
/// martingale = "webhook"
/// watch = "stop"
/// out_of_distribution = "shadow"
/// [alarms.webhook]
/// url = "https://example.org/alarms"
/// secret_env = "THEMECAST_WEBHOOK_SECRET"
/// timeout_secs = 5
/// attempts = 5
/// backoff_secs = 0.5
/// queue = 256
/// ```
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default, expecting = "a table, [alarms]")]
pub struct Config {
    /// The file that alarms are appended to, if any.
    pub log: Option<PathBuf>,
    /// Whether excerpts of answers may leave the process.
    pub include_text: bool,
    /// What becomes of answers that no detector can watch, where a policy is `stop`.
    pub fail: Fail,
    /// What each detector's alarms lead to.
    pub policy: Policies,
    /// The receiver, needed where a policy is `webhook`.
    pub webhook: Option<WebhookConfig>,
}

/// What becomes of an answer whose forecast fails while a policy may stop answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fail {
    /// It goes on: no stream breaks because a predictor fails.
    #[default]
    Open,
    /// It is refused, or ends at the next token: nothing is written that no detector sees.
    Closed,
}

/// The receiver of alarms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, [alarms.webhook]")]
pub struct WebhookConfig {
    /// Where alarms are posted to.
    pub url: Endpoint,
    /// The environment variable with the secret that deliveries are signed with.
    #[serde(default = "value::default_secret_env", deserialize_with = "value::variable")]
    pub secret_env: String,
    /// How long one attempt may take: `timeout_secs`, 0.01 to 60.
    #[serde(rename = "timeout_secs", default = "value::default_timeout")]
    #[serde(deserialize_with = "value::seconds")]
    pub timeout: Duration,
    /// How many attempts are made, 1 to 20.
    #[serde(default = "value::default_attempts", deserialize_with = "value::whole::<20, _>")]
    pub attempts: usize,
    /// The shortest pause before the second attempt; it doubles with each one up to 30 seconds, and
    /// a random part of up to its own length is added: `backoff_secs`, 0.01 to 60.
    #[serde(rename = "backoff_secs", default = "value::default_backoff")]
    #[serde(deserialize_with = "value::seconds")]
    pub backoff: Duration,
    /// How many alarms may wait to be delivered, 1 to 65,536.
    #[serde(default = "value::default_queue", deserialize_with = "value::whole::<65_536, _>")]
    pub queue: usize,
}

/// A wrong `[alarms]` table, as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct ConfigError {
    /// The key, as a path of the document.
    pub key: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Config {
    /// Reads the `[alarms]` table of a TOML document; without one every alarm is left to
    /// annotations. Other tables are not looked at.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key that is wrong.
    pub fn from_toml(document: &str) -> Result<Self, ConfigError> {
        let mut document: toml::Table = document
            .parse()
            .map_err(|error: toml::de::Error| wrong("the file", error.message()))?;
        document.remove("alarms").map_or_else(|| Ok(Self::default()), Self::from_value)
    }

    fn from_value(value: toml::Value) -> Result<Self, ConfigError> {
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
        let config = Self::deserialize(tracked);
        let config = config.map_err(|error| at(&track.path(), error.message()))?;
        match (config.policy.webhook_key(), &config.webhook) {
            (Some(key), None) => Err(wrong(
                &format!("alarms.policy.{key}"),
                "is \"webhook\", but nobody would be told: add [alarms.webhook] with the \
                 receiver's url",
            )),
            _ => Ok(config),
        }
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        Self::from_value(value).map_err(de::Error::custom)
    }
}

fn wrong(key: &str, problem: &str) -> ConfigError {
    ConfigError { key: key.to_owned(), problem: problem.to_owned() }
}

/// serde's message with its key; a missing field is the only one that needs advice.
fn at(path: &serde_path_to_error::Path, message: &str) -> ConfigError {
    let below: String = path.iter().map(|segment| format!(".{segment}")).collect();
    let advice = if message.starts_with("missing field") { ": add it" } else { "" };
    wrong(&format!("alarms{below}"), &format!("{message}{advice}"))
}

/// The address of a receiver: http or https with a host. Shown without its path, which may hold a
/// key.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(Url);

impl Endpoint {
    /// The whole address.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl TryFrom<String> for Endpoint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let url = Url::parse(&text).ok();
        url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .map(Self)
            .ok_or("is no web address: write one like https://example.org/alarms")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}
