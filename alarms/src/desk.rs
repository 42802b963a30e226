//! Where alarms are raised.

use crate::{
    alarm::{Alarm, Notice},
    config::{Config, Fail, WebhookConfig},
    log::Log,
    pending::{Pending, Queue},
    policy::{Action, Policies},
    secret::Secret,
    tally::{Outcome, Tally},
    webhook::Webhook,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{runtime::Handle, time::Instant};
use uuid::Uuid;

/// How many alarms may wait for the log's disk.
const LOG_QUEUE: usize = 1024;

/// What is to happen with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an answer that must be stopped goes on otherwise"]
pub enum Verdict {
    /// It goes on.
    Continue,
    /// It must be stopped.
    Stop,
}

/// Why a desk can't be opened; one line each that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The webhook's secret is not there.
    #[error(
        "alarms.webhook.secret_env: the environment variable {0} is not set or empty: set it to \
         the secret that the receiver verifies signatures with"
    )]
    Secret(String),
    /// The log can't be written.
    #[error("alarms.log: cannot append to {}: {cause}: name a file in a folder that exists and is \
             writable", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The HTTP client can't be made.
    #[error("alarms.webhook: the HTTP client does not start: check the system's certificates")]
    Client(#[source] reqwest::Error),
    /// Webhook and log run as tokio tasks.
    #[error("alarms: a webhook or a log needs a tokio runtime: open the desk within one")]
    Runtime,
}

/// Takes alarms and sees to what the configuration says about them.
///
/// Dropped without [`Desk::close`] it takes nothing more, and what is queued is still seen to for
/// as long as the runtime lives.
pub struct Desk {
    policies: Policies,
    include_text: bool,
    fail: Fail,
    webhook: Option<Queue>,
    log: Option<Queue>,
    tally: Arc<dyn Tally>,
}

impl Desk {
    /// A desk with the webhook's secret from the environment. Its tasks are started only if the
    /// configuration needs them.
    ///
    /// # Errors
    /// [`OpenError`]: the secret is missing, the log can't be written, or there is no runtime.
    pub fn open(config: &Config, tally: Arc<dyn Tally>) -> Result<Self, OpenError> {
        Self::open_with(config, tally, |name| std::env::var(name).ok())
    }

    /// A desk with the webhook's secret from `lookup`, which is given the name in `secret_env`.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub fn open_with(
        config: &Config,
        tally: Arc<dyn Tally>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, OpenError> {
        let uses_webhook = config.policy.webhook_key().is_some();
        let webhook = config.webhook.as_ref().filter(|_| uses_webhook);
        if config.webhook.is_some() && !uses_webhook {
            tracing::warn!("alarms.webhook is not used: no policy is \"webhook\"");
        }
        let webhook = webhook.map(|webhook| start_webhook(webhook, lookup)).transpose()?;
        let log = config.log.as_deref().map(start_log).transpose()?;
        let Config { policy: policies, include_text, fail, .. } = *config;
        Ok(Self { policies, include_text, fail, webhook, log, tally })
    }

    /// Whether some alarms end answers: then no answer may pass by the detectors.
    pub fn stops(&self) -> bool {
        self.policies.stop()
    }

    /// Whether an answer that can't be watched must not be written.
    pub fn fails_closed(&self) -> bool {
        self.stops() && self.fail == Fail::Closed
    }

    /// Whether an alarm's excerpt is kept, and so worth making.
    pub fn wants_text(&self) -> bool {
        self.include_text && (self.webhook.is_some() || self.log.is_some())
    }

    /// Takes an alarm and says what is to happen with the answer. Never waits: what finds a queue
    /// full is dropped and counted.
    pub fn raise(&self, alarm: Alarm) -> Verdict {
        let Some(action) = self.policies.of(alarm.detector).action() else {
            return Verdict::Continue;
        };
        let id = Uuid::new_v4().to_string();
        let notice = Arc::new(Notice { id, action, alarm: alarm.bounded(self.include_text) });
        if let Some(log) = &self.log {
            log.push(Pending::new(notice.clone(), self.tally.clone(), Outcome::LogFailed));
        }
        let outcome = match action {
            Action::Annotate | Action::Stop => Outcome::Done,
            Action::WouldStop => Outcome::WouldStop,
            Action::WouldWebhook => Outcome::WouldWebhook,
            Action::Webhook => Outcome::Dropped,
        };
        let pending = Pending::new(notice, self.tally.clone(), outcome);
        match (&self.webhook, action) {
            (Some(webhook), Action::Webhook) => webhook.push(pending),
            _ => drop(pending),
        }
        if action == Action::Stop { Verdict::Stop } else { Verdict::Continue }
    }

    /// Takes no further alarms for webhook and log and waits until those that are queued have been
    /// seen to, at most `within`; what is left then is dropped and counted. Whether nothing was
    /// left.
    pub async fn close(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let close = async |queue: &Option<Queue>| match queue {
            Some(queue) => queue.close(deadline).await,
            None => true,
        };
        let (webhook, log) = tokio::join!(close(&self.webhook), close(&self.log));
        webhook && log
    }
}

fn start_webhook(
    config: &WebhookConfig,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Queue, OpenError> {
    let runtime = Handle::try_current().map_err(|_| OpenError::Runtime)?;
    let secret = lookup(&config.secret_env).and_then(|secret| Secret::new(secret.as_bytes()));
    let secret = secret.ok_or_else(|| OpenError::Secret(config.secret_env.clone()))?;
    let webhook = Webhook::new(config, secret).map_err(OpenError::Client)?;
    Ok(Queue::start(&runtime, config.queue, |arrivals| webhook.run(arrivals)))
}

fn start_log(path: &Path) -> Result<Queue, OpenError> {
    let runtime = Handle::try_current().map_err(|_| OpenError::Runtime)?;
    let log = Log::open(path).map_err(|cause| OpenError::Log { path: path.to_owned(), cause })?;
    Ok(Queue::start(&runtime, LOG_QUEUE, |arrivals| log.run(arrivals)))
}
