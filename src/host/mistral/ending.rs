//! How a streamed answer ends: once each of its choices has, with a last chunk where mistral.rs
//! leaves it out.

use super::probe::Count;
use crate::host::{Event, HostError, Route};
use mistralrs_core::{NormalRequest, SYSTEM_FINGERPRINT};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Follows one answer to its end.
pub(super) struct Ending {
    route: Route,
    streamed: bool,
    choices: usize,
    max_tokens: Option<usize>,
    /// The answer's id and model as they stand in its chunks.
    names: (String, String),
    count: Arc<Count>,
    finished: BTreeSet<usize>,
    /// The last chunk so far.
    last: Option<String>,
}

impl Ending {
    /// Of an answer to `request` by `model`, whose probe counts tokens in `count`.
    pub(super) fn new(
        route: Route,
        request: &NormalRequest,
        model: &str,
        count: Arc<Count>,
    ) -> Self {
        Self {
            route,
            streamed: request.is_streaming,
            choices: request.sampling_params.n_choices,
            max_tokens: request.sampling_params.max_len,
            names: (request.id.to_string(), model.to_owned()),
            count,
            finished: BTreeSet::new(),
            last: None,
        }
    }

    /// Takes the choices of a chunk, each with its index and `finish_reason`; the reason why the
    /// answer ends if every choice has one now.
    pub(super) fn finish<'a>(
        &mut self,
        choices: impl Iterator<Item = (usize, &'a Option<String>)>,
    ) -> Option<String> {
        let mut finish = None;
        for (index, reason) in choices {
            if let Some(reason) = reason {
                self.finished.insert(index);
                finish = Some(reason.clone());
            }
        }
        finish.filter(|_| self.finished.len() >= self.choices)
    }

    /// A chunk, the last one where the answer ends for `finish`.
    pub(super) fn chunk(&mut self, json: String, text: String, finish: Option<String>) -> Event {
        if finish.is_none() {
            self.last = Some(json.clone());
        }
        Event::Chunk { json, text, finish, tokens: Some(self.count.tokens()) }
    }

    /// The last chunk, which mistral.rs leaves out where an answer ends within a character, even
    /// if that leaves no chunk at all.
    pub(super) fn closing(&mut self) -> Event {
        if !self.streamed || self.count.tokens().completion == 0 {
            return Event::Failed(HostError::Model("the model gave no answer".to_owned()));
        }
        let last = self.last.as_ref().and_then(|last| serde_json::from_str(last).ok());
        let mut chunk: Value = last.unwrap_or_else(|| self.empty());
        let reason = self.reason();
        let open = (0..self.choices).filter(|index| !self.finished.contains(index));
        let open: Vec<Value> = open.map(|index| self.closed(index, reason)).collect();
        if let Some(choices) = chunk.get_mut("choices") {
            *choices = open.into();
        }
        self.chunk(chunk.to_string(), String::new(), Some(reason.to_owned()))
    }

    /// Why an answer ended that does not say so.
    fn reason(&self) -> &'static str {
        let most = self.max_tokens.map_or(u64::MAX, |most| most as u64);
        if self.count.tokens().completion >= most { "length" } else { "stop" }
    }

    /// A choice that writes nothing and ends.
    fn closed(&self, index: usize, reason: &str) -> Value {
        match self.route {
            Route::Chat => json!({
                "finish_reason": reason,
                "index": index,
                "delta": {"content": "", "role": "assistant", "tool_calls": null},
                "logprobs": null,
            }),
            Route::Completion => {
                json!({"text": "", "index": index, "logprobs": null, "finish_reason": reason})
            }
        }
    }

    /// A chunk as mistral.rs writes it, without choices.
    fn empty(&self) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (id, model) = &self.names;
        let mut chunk = json!({
            "id": id,
            "choices": [],
            "created": now.as_secs(),
            "model": model,
            "system_fingerprint": SYSTEM_FINGERPRINT,
            "object": "text_completion",
        });
        if self.route == Route::Chat {
            chunk["object"] = "chat.completion.chunk".into();
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of one token.
    fn sampled() -> Arc<Count> {
        let count = Count::default();
        count.step(0, 5);
        Arc::new(count)
    }

    fn ending(route: Route, choices: usize, max_tokens: usize) -> Ending {
        Ending {
            route,
            streamed: true,
            choices,
            max_tokens: Some(max_tokens),
            names: ("7".to_owned(), "model".to_owned()),
            count: sampled(),
            finished: BTreeSet::new(),
            last: None,
        }
    }

    fn finish(ending: &mut Ending, choices: &[(usize, Option<&str>)]) -> Option<String> {
        let choices: Vec<(usize, Option<String>)> =
            choices.iter().map(|(index, reason)| (*index, reason.map(str::to_owned))).collect();
        ending.finish(choices.iter().map(|(index, reason)| (*index, reason)))
    }

    #[test]
    fn an_answer_ends_when_its_last_choice_does() {
        let mut ending = ending(Route::Chat, 2, 9);
        assert_eq!(finish(&mut ending, &[(0, None), (1, None)]), None);
        assert_eq!(finish(&mut ending, &[(0, Some("stop")), (1, None)]), None);
        assert_eq!(finish(&mut ending, &[(1, None), (1, None)]), None);
        assert_eq!(finish(&mut ending, &[(1, Some("length"))]), Some("length".to_owned()));
    }

    /// The closing chunk of an answer, of which `chunk` came before.
    fn check(mut ending: Ending, chunk: Option<&str>, reason: &str) -> Value {
        if let Some(chunk) = chunk {
            ending.chunk(chunk.to_owned(), String::new(), None);
        }
        let Event::Chunk { json, finish, .. } = ending.closing() else { panic!("no chunk") };
        assert_eq!(finish.as_deref(), Some(reason));
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_ends_within_a_character_is_closed_even_before_its_first_chunk() {
        let mut none = ending(Route::Chat, 1, 9);
        none.count = Arc::default();
        assert!(matches!(none.closing(), Event::Failed(_)), "nothing was sampled");
        let long = ending(Route::Chat, 1, 1);
        let chunk = check(long, None, "length");
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["choices"][0]["delta"]["content"], "");
        assert_eq!(chunk["choices"][0]["finish_reason"], "length");

        let mut two = ending(Route::Completion, 2, 9);
        finish(&mut two, &[(0, Some("stop"))]);
        let chunk = check(two, Some(r#"{"id":"3","choices":[{"text":"a","index":1}]}"#), "stop");
        assert_eq!(chunk["id"], "3");
        let choices = json!([{"text": "", "index": 1, "logprobs": null, "finish_reason": "stop"}]);
        assert_eq!(chunk["choices"], choices);
    }
}
