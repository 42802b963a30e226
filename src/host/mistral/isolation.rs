//! Proof that requests which run at the same time do not mix.
//!
//! mistral.rs 0.8.1 batches wrongly on CPUs: rows of one batch get each other's attention, and
//! one user's answer turns into another's. So prompts are sent alone and then all at once.

use super::MistralHost;
use crate::host::{Answer, Call, Event, Host, HostError, Route};
use futures::{StreamExt, future::join_all};
use serde_json::Value;
use std::time::Duration;

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

/// How long a prompt waits that finds the queue full.
const AGAIN: Duration = Duration::from_millis(20);

/// Compares answers alone and at once, on engines that run `sequences` together. Where they differ
/// `one_each` lets every engine run one at a time, and they are compared once more; none where they
/// differ even then.
pub(super) async fn settle<A: Future<Output = Option<String>>>(
    sequences: usize,
    ask: impl Fn(String) -> A,
    one_each: impl FnOnce(),
) -> Option<Isolation> {
    let prompts: Vec<String> = (0..sequences.clamp(2, 8))
        .map(|i| {
            format!("Question: What is the capital city of {}?\nAnswer:", PLACES[i % PLACES.len()])
        })
        .collect();
    if passes(&prompts, &ask).await {
        return Some(Isolation::Passed);
    }
    tracing::error!("every engine runs one sequence at a time from now on");
    one_each();
    passes(&prompts, &ask).await.then_some(Isolation::Failed)
}

/// Whether every prompt gets an answer, and the same one alone and with the others.
async fn passes<A: Future<Output = Option<String>>>(
    prompts: &[String],
    ask: &impl Fn(String) -> A,
) -> bool {
    let mut alone = Vec::new();
    for prompt in prompts {
        alone.push(ask(prompt.clone()).await);
    }
    let together = join_all(prompts.iter().map(|prompt| ask(prompt.clone()))).await;
    let mixed = alone.iter().zip(&together).position(|(a, b)| a.is_none() || a != b);
    let Some(mixed) = mixed else {
        tracing::info!(requests = prompts.len(), "isolation check passed");
        return true;
    };
    tracing::error!(
        prompt = prompts[mixed],
        alone = alone[mixed],
        together = together[mixed],
        "isolation check FAILED: an engine gives no answer, or mixes those of one batch"
    );
    false
}

/// The greedy continuation of a text, without a chat template, which a base model lacks and a thinking
/// model fills with thoughts that are no content; none when there is none.
pub(super) async fn ask(host: &MistralHost, prompt: String) -> Option<String> {
    let body = serde_json::json!({
        "prompt": prompt,
        "max_tokens": TOKENS,
        "temperature": 0.0,
        "top_k": 1,
    });
    match start(host, body).await?.next().await? {
        Event::Done { json, .. } => {
            let body: Value = serde_json::from_str(&json).ok()?;
            body.pointer("/choices/0/text")?.as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// Starts a request, which waits for its place however few may wait.
async fn start(host: &MistralHost, body: Value) -> Option<Answer> {
    loop {
        match host.generate(Call::new(Route::Completion, body.clone())).await {
            Err(HostError::Busy(_)) => tokio::time::sleep(AGAIN).await,
            started => return started.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Answers with the prompt, or, until `one_each` is set, with nothing of its own if another
    /// prompt runs meanwhile.
    async fn mixing(
        prompt: String,
        running: &Cell<usize>,
        one_each: &Cell<bool>,
    ) -> Option<String> {
        running.set(running.get() + 1);
        tokio::task::yield_now().await;
        let mixed = running.get() > 1 && !one_each.get();
        running.set(running.get() - 1);
        Some(if mixed { "mixed".to_owned() } else { prompt })
    }

    #[tokio::test]
    async fn engines_that_mix_answers_fall_back() {
        let (running, one_each) = (Cell::new(0), Cell::new(false));
        let ask = |prompt| mixing(prompt, &running, &one_each);
        let found = settle(4, ask, || one_each.set(true)).await;
        assert_eq!((found, one_each.get()), (Some(Isolation::Failed), true));
        let ask = |prompt| mixing(prompt, &running, &one_each);
        assert_eq!(settle(4, ask, || ()).await, Some(Isolation::Passed));
    }

    #[tokio::test]
    async fn engines_that_do_not_answer_pass_in_no_way() {
        let one_each = Cell::new(false);
        let found = settle(1, |_| async { None }, || one_each.set(true)).await;
        assert_eq!((found, one_each.get()), (None, true));
    }
}
