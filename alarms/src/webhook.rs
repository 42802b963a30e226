//! Telling the operator's receiver: signed, and tried again where that may help.

use crate::{
    config::WebhookConfig,
    pending::{Arrivals, Pending},
    secret::Secret,
    tally::Outcome,
    throttle::Throttle,
};
use backon::{ExponentialBuilder, Retryable};
use futures::StreamExt;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many alarms are being delivered at once, so that one that is waiting to be tried again does
/// not hold up the others.
const AT_ONCE: usize = 4;
/// The longest pause between two attempts, unless the receiver asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that a receiver may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The receiver and how to speak to it.
pub(crate) struct Webhook {
    client: Client,
    url: Url,
    secret: Secret,
    pauses: ExponentialBuilder,
    throttle: Throttle,
}

/// Why an attempt did not succeed.
#[derive(Debug, thiserror::Error)]
enum Miss {
    #[error("no answer: {0}")]
    Silence(reqwest::Error),
    #[error("it answered {status}")]
    Busy { status: StatusCode, retry_after: Option<Duration> },
    #[error("it refuses: {0}")]
    Refused(StatusCode),
}

impl Miss {
    fn is_transient(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    /// The pause before the next attempt, where one follows: at least what the receiver asks for.
    fn pause(&self, pause: Option<Duration>) -> Option<Duration> {
        let Self::Busy { retry_after: Some(asked), .. } = self else { return pause };
        pause.map(|pause| pause.max(*asked))
    }

    fn outcome(&self) -> Outcome {
        if self.is_transient() { Outcome::Failed } else { Outcome::Rejected }
    }
}

impl Webhook {
    /// # Errors
    /// When the client can't be made: no certificates, for instance.
    pub(crate) fn new(config: &WebhookConfig, secret: Secret) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("themecast/", env!("CARGO_PKG_VERSION")))
            .timeout(config.timeout)
            .redirect(redirect::Policy::none())
            .build()?;
        let pauses = ExponentialBuilder::new()
            .with_min_delay(config.backoff)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(config.attempts - 1)
            .with_jitter();
        let url = config.url.url().clone();
        Ok(Self { client, url, secret, pauses, throttle: Throttle::default() })
    }

    /// Delivers what arrives until nothing more can.
    pub(crate) async fn run(self, arrivals: Arrivals) {
        arrivals.for_each_concurrent(AT_ONCE, |pending| self.deliver(pending)).await;
    }

    async fn deliver(&self, pending: Pending) {
        let body = match serde_json::to_string(&*pending.notice) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "an alarm can't be written as JSON");
                return pending.settle(Outcome::Failed);
            }
        };
        let delivered = (|| self.attempt(&pending.notice.id, body.clone()))
            .retry(self.pauses)
            .when(Miss::is_transient)
            .adjust(Miss::pause)
            .notify(|_, _| pending.count(Outcome::Retried))
            .await;
        if let Err(miss) = &delivered {
            self.tell(miss);
        }
        pending.settle(delivered.map_or_else(|miss| miss.outcome(), |()| Outcome::Delivered));
    }

    /// One request; the answer's body is not read.
    async fn attempt(&self, key: &str, body: String) -> Result<(), Miss> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp_secs = since_1970.as_secs();
        let response = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .header("x-themecast-timestamp", timestamp_secs)
            .header("x-themecast-signature", self.secret.sign(timestamp_secs, body.as_bytes()))
            .body(body)
            .send()
            .await;
        judge(&response.map_err(|error| Miss::Silence(error.without_url()))?)
    }

    /// The receiver's host alone: an address may hold a key.
    fn tell(&self, miss: &Miss) {
        if let Some(untold) = self.throttle.due() {
            let host = self.url.host_str().unwrap_or_default();
            tracing::warn!(%miss, host, untold, "an alarm was not delivered");
        }
    }
}

fn judge(response: &Response) -> Result<(), Miss> {
    let status = response.status();
    if status.is_success() {
        Ok(())
    } else if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let retry_after = retry_after(response.headers(), SystemTime::now());
        Err(Miss::Busy { status, retry_after })
    } else {
        Err(Miss::Refused(status))
    }
}

/// How long the receiver wants to be left alone, at most five minutes.
///
/// *Source*: RFC 9110, section 10.2.3: seconds or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = text.parse().ok().map(Duration::from_secs);
    let until = || httpdate::parse_http_date(text).ok()?.duration_since(now).ok();
    Some(seconds.or_else(until)?.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        let check = |text: &'static str, expected: Option<u64>| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text}");
        };
        check("7", Some(7));
        check("100000", Some(300));
        check("Wed, 21 Oct 2015 07:28:30 GMT", Some(30));
        check("Wed, 21 Oct 2015 07:27:00 GMT", None);
        check("soon", None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_receiver_can_lengthen_a_pause_but_not_add_an_attempt() {
        let asked = Some(Duration::from_secs(9));
        let miss = Miss::Busy { status: StatusCode::TOO_MANY_REQUESTS, retry_after: asked };
        assert_eq!(miss.pause(Some(Duration::from_secs(1))), asked);
        assert_eq!(miss.pause(Some(Duration::from_secs(20))), Some(Duration::from_secs(20)));
        assert_eq!(miss.pause(None), None);
    }
}
