//! What happens when a detector raises an alarm about an answer.
//!
//! Here live the [`Alarm`] itself, the policy that decides what it leads to, the [`Desk`] where it
//! is raised, the signed webhook, the log of alarms and the outcomes that are counted. What never
//! will: how an alarm comes about (`forecast`), how an answer is stopped or annotated (the
//! server), the names of metrics, HTTP routes, engines, tensors and what a theme means.
//!
//! ```text
//!   detector ─▶ Alarm ─▶ Desk::raise ─▶ Verdict: go on, or stop the answer
//!                           │  never waits: a full queue drops, and that is counted
//!                           ├─ webhook queue ─▶ signed POST, retried ─▶ the operator's receiver
//!                           ├─ log queue ─────▶ a line of JSON
//!                           └─ Tally: what became of it
//! ```
//!
//! # What an alarm leads to
//!
//! | policy | at once | outcomes, each alarm exactly one unless noted |
//! |---|---|---|
//! | `annotate` | nothing: the annotation says it | `done` |
//! | `webhook` | a place in the queue | `delivered`, `rejected`, `failed` or `dropped`; `retried` for every further attempt |
//! | `stop` | [`Verdict::Stop`] | `done` |
//! | `shadow`, `shadow_webhook` | nothing | `would_stop`, `would_webhook` |
//! | `off` | nothing | none |
//!
//! Where a log is configured every alarm that is not `off` is also `logged` or `log_failed`.
//!
//! # For whoever receives the webhook
//!
//! The body is a [`Notice`]. `x-themecast-signature` is `sha256=` and the hex HMAC-SHA256 of
//! `<timestamp>.<body>` under the shared secret, `<timestamp>` being `x-themecast-timestamp`,
//! seconds since 1970. It is made anew for each attempt, so a receiver may refuse old ones.
//! `idempotency-key` stays: a receiver that was too slow to answer gets the same alarm again and
//! tells it by that. Alarms may come out of order. Answer 2xx; 429 (with `retry-after`) and 5xx
//! are tried again, anything else is not, and redirects are not followed.
//!
//! # Use
//!
//! ```
//! use std::sync::Arc;
//! use themecast_alarms::{Alarm, Config, Desk, Detector, Silent, Verdict};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::from_toml("[alarms.policy]\nmartingale = \"stop\"")?;
//! let desk = Desk::open(&config, Arc::new(Silent))?;
//! let alarm = Alarm::new("chatcmpl-1", "a-model", Detector::Martingale);
//! assert_eq!(desk.raise(alarm), Verdict::Stop);
//! desk.close(std::time::Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```

mod alarm;
mod config;
mod desk;
mod log;
mod pending;
mod policy;
mod secret;
mod tally;
mod throttle;
mod webhook;

pub use alarm::{Alarm, Detector, Likely, Notice};
pub use config::{Config, ConfigError, Endpoint, Fail, WebhookConfig};
pub use desk::{Desk, OpenError, Verdict};
pub use policy::{Action, Policies, Policy};
pub use secret::Secret;
pub use tally::{Outcome, PolicyLabel, Silent, Tally};
