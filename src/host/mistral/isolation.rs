//! Proof that requests which run at the same time do not mix.
//!
//! mistral.rs 0.8.1 batches wrongly on CPUs: rows of one batch get each other's attention, and
//! one user's answer turns into another's. So prompts are sent alone and then all at once.

use super::MistralHost;
use crate::host::{Call, Event, Host, Route};
use futures::{StreamExt, future::join_all};

/// What the check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Every answer was the same alone and among others.
    Passed,
    /// Some answer changed: every engine runs one sequence at a time from now on.
    Failed,
}

const PLACES: [&str; 4] = ["France", "Brazil", "Poland", "Greece"];
const TOKENS: usize = 12;

pub(super) async fn check(host: &MistralHost) -> Isolation {
    let prompts: Vec<String> = (0..host.sequences().clamp(2, 8))
        .map(|i| format!("What is the capital city of {}?", PLACES[i % PLACES.len()]))
        .collect();
    let mut alone = Vec::new();
    for prompt in &prompts {
        alone.push(ask(host, prompt).await);
    }
    let together = join_all(prompts.iter().map(|prompt| ask(host, prompt))).await;
    let mixed = alone.iter().zip(&together).position(|(a, b)| a.is_none() || a != b);
    let Some(mixed) = mixed else {
        tracing::info!(requests = prompts.len(), "isolation check passed");
        return Isolation::Passed;
    };
    tracing::error!(
        prompt = prompts[mixed],
        alone = alone[mixed],
        together = together[mixed],
        "isolation check FAILED: this engine mixes answers of one batch; every engine now runs one \
         sequence at a time"
    );
    Isolation::Failed
}

/// The greedy beginning of an answer; none when there is no answer.
async fn ask(host: &MistralHost, prompt: &str) -> Option<String> {
    let body = serde_json::json!({
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": TOKENS,
        "temperature": 0.0,
        "top_k": 1,
    });
    let call = Call::new(Route::Chat, body);
    match host.generate(call).await.ok()?.next().await? {
        Event::Done { json, .. } => {
            let body: serde_json::Value = serde_json::from_str(&json).ok()?;
            body.pointer("/choices/0/message/content")?.as_str().map(str::to_owned)
        }
        _ => None,
    }
}
