//! A language model behind OpenAI's API, asked for the probabilities of its next token, or for a
//! few words.

use anyhow::{Context, Result, anyhow, bail};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::time::Duration;
use themecast_lab::{
    LabError,
    label::llm::{Namer, Oracle, Turn},
};

/// The variable that holds the key where the endpoint wants one.
const KEY: &str = "THEMECAST_LLM_KEY";
/// How many of the likeliest tokens are asked for: the most that OpenAI's API allows.
pub(super) const ALTERNATIVES: usize = 20;
/// How many tokens a few words have at most.
const A_FEW_WORDS: usize = 8;

/// An OpenAI-compatible endpoint.
pub(super) struct Endpoint {
    client: Client,
    url: String,
    model: String,
    key: Option<String>,
}

impl Endpoint {
    /// The endpoint at `url`, such as `http://127.0.0.1:8080/v1`.
    pub(super) fn new(url: &str, model: &str) -> Result<Self> {
        let client = Client::builder().timeout(Duration::from_secs(600)).build()?;
        let url = format!("{}/chat/completions", url.trim_end_matches('/'));
        Ok(Self { client, url, model: model.to_owned(), key: std::env::var(KEY).ok() })
    }

    fn ask(&self, turns: &[Turn], letters: &[char]) -> Result<Vec<f32>> {
        let said = self.post(&json!({
            "model": self.model, "messages": messages(turns), "max_tokens": 1, "temperature": 1.0,
            "logprobs": true, "top_logprobs": ALTERNATIVES,
        }))?;
        let alternatives = said.pointer("/choices/0/logprobs/content/0/top_logprobs");
        let alternatives = alternatives.and_then(Value::as_array).filter(|list| !list.is_empty());
        let alternatives = alternatives.ok_or_else(|| {
            anyhow!("{}: the answer has no top_logprobs; the endpoint must give them", self.url)
        })?;
        Ok(probabilities(alternatives, letters))
    }

    fn name(&self, turns: &[Turn]) -> Result<String> {
        let said = self.post(&json!({
            "model": self.model, "messages": messages(turns), "max_tokens": A_FEW_WORDS,
            "temperature": 0.0,
        }))?;
        let words = said.pointer("/choices/0/message/content").and_then(Value::as_str);
        let words = words.with_context(|| format!("{}: the answer has no text", self.url))?;
        Ok(words.to_owned())
    }

    fn post(&self, body: &Value) -> Result<Value> {
        let mut request = self.client.post(&self.url).json(body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().with_context(|| format!("{}: no answer", self.url))?;
        let status = response.status();
        let said = response.text()?;
        if !status.is_success() {
            let said: String = said.chars().take(200).collect();
            bail!("{}: {status}: {said}", self.url);
        }
        serde_json::from_str(&said).with_context(|| format!("{}: the answer is no JSON", self.url))
    }
}

fn messages(turns: &[Turn]) -> Vec<Value> {
    turns.iter().map(|turn| json!({ "role": turn.role, "content": turn.content })).collect()
}

impl Namer for Endpoint {
    fn say(&self, turns: &[Turn]) -> Result<String, LabError> {
        self.name(turns).map_err(|error| LabError::data(format!("{error:#}")))
    }
}

impl Oracle for Endpoint {
    fn model(&self) -> &str {
        &self.model
    }

    fn choose(&self, turns: &[Turn], letters: &[char]) -> Result<Vec<f32>, LabError> {
        self.ask(turns, letters).map_err(|error| LabError::data(format!("{error:#}")))
    }
}

/// The probability of each letter; " A" and "A" are one.
fn probabilities(alternatives: &[Value], letters: &[char]) -> Vec<f32> {
    let logs: Vec<f64> = alternatives.iter().filter_map(|one| one["logprob"].as_f64()).collect();
    // mistral.rs 0.8.1 takes logarithms to base 10: read as natural ones they sum up beyond 1.
    let natural: f64 = logs.iter().map(|log| log.exp()).sum();
    let base = if natural > 1.01 { 10f64 } else { std::f64::consts::E };
    let mut found = vec![0.0; letters.len()];
    for one in alternatives {
        // mistral.rs gives the token's number as `token` and its text as `bytes`.
        let text = one["token"].as_str().or(one["bytes"].as_str()).unwrap_or_default();
        let mut chars = text.trim().chars();
        let (Some(letter), None) = (chars.next(), chars.next()) else { continue };
        let place = letters.iter().position(|&known| known == letter);
        if let (Some(place), Some(log)) = (place, one["logprob"].as_f64()) {
            found[place] += base.powf(log) as f32;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_alternatives_are_read() {
        let openai = [
            json!({"token": "A", "logprob": -0.5978, "bytes": [65]}),
            json!({"token": " A", "logprob": -2.9957, "bytes": [32, 65]}),
            json!({"token": "B", "logprob": -1.6094, "bytes": [66]}),
            json!({"token": "Because", "logprob": -3.0, "bytes": []}),
        ];
        let found = probabilities(&openai, &['A', 'B', 'C']);
        assert!((found[0] - 0.6).abs() < 1e-3 && (found[1] - 0.2).abs() < 1e-3 && found[2] == 0.0);
        let mistral = [
            json!({"token": 33, "logprob": -0.1, "bytes": "B"}),
            json!({"token": 32, "logprob": -0.7, "bytes": "A"}),
        ];
        let found = probabilities(&mistral, &['A', 'B']);
        assert!((found[0] - 0.2).abs() < 1e-2 && (found[1] - 0.794).abs() < 1e-2, "{found:?}");
    }

    #[test]
    fn an_endpoint_that_is_not_there_is_named() {
        let endpoint = Endpoint::new("http://127.0.0.1:1/v1", "default").unwrap();
        let turns = [Turn { role: "user", content: "x".into() }];
        let error = endpoint.choose(&turns, &['A']).unwrap_err().to_string();
        assert!(error.contains("127.0.0.1:1/v1/chat/completions: no answer"), "{error}");
    }
}
