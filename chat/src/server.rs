//! The server that is talked to: a question goes out, pieces of the answer come in.

use crate::{note::Note, plain::plain};
use eventsource_stream::{EventStream, Eventsource};
use futures::{StreamExt, stream::BoxStream};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// How long a server may take to accept a connection; answers may take as long as they need.
const CONNECTING: Duration = Duration::from_secs(10);
/// The data of a stream's last event.
const DONE: &str = "[DONE]";

/// What can go wrong between a question and the end of its answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("{url:?} is no address of a server; give one such as http://127.0.0.1:8080")]
    Address {
        /// What was given.
        url: String,
    },
    /// The key can't be sent.
    #[error("the key has characters that no HTTP header can carry; look for a line end in it")]
    Key,
    /// Nobody answered.
    #[error(
        "can't reach {url}: {why}; start a server there with `themecast serve`, or name another with --url"
    )]
    Unreachable {
        /// Where nobody was.
        url: String,
        /// The innermost reason: those around it repeat the address.
        why: String,
    },
    /// The server refused the question.
    #[error("the server refused with {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its own words.
        message: String,
        /// The parameter that it names as the fault.
        param: Option<String>,
    },
    /// The answer broke off.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// The terminal could not be written to or read from.
    #[error("the terminal: {0}")]
    Terminal(#[from] std::io::Error),
}

impl Error {
    fn unsent(url: &str, error: &reqwest::Error) -> Self {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        match error.is_connect() {
            true => Self::Unreachable { url: url.to_owned(), why: cause.to_string() },
            false => Self::Broken(cause.to_string()),
        }
    }
}

/// A server with OpenAI's API, Themecast's or another.
#[derive(Debug)]
pub struct Server {
    client: reqwest::Client,
    url: String,
}

/// What one event brings.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Why the answer ends with it, if it does.
    pub(crate) finish: Option<String>,
    /// None where the server sends no annotation, or one of another plugin's.
    pub(crate) note: Option<Note>,
}

/// An answer that is being written.
pub(crate) struct Answer {
    events: EventStream<BoxStream<'static, reqwest::Result<Bytes>>>,
    /// Its last piece has come.
    finished: bool,
}

type Bytes = Vec<u8>;

impl Server {
    /// The server at `url`, with or without `/v1` at its end; nothing is sent yet.
    ///
    /// # Errors
    /// When `url` is no address, the key can't be sent, or no client can be made.
    pub fn new(url: &str, key: Option<String>) -> Result<Self, Error> {
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base).to_owned();
        let web = |url: &reqwest::Url| matches!(url.scheme(), "http" | "https");
        if !reqwest::Url::parse(&base).as_ref().is_ok_and(web) {
            return Err(Error::Address { url: url.to_owned() });
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let value = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut value = value.map_err(|_| Error::Key)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = reqwest::Client::builder().connect_timeout(CONNECTING);
        let client = client.default_headers(headers).build();
        let client = client.map_err(|error| Error::unsent(&base, &error))?;
        Ok(Self { client, url: base })
    }

    /// Asks for a streamed chat completion.
    pub(crate) async fn ask(&self, body: &Value) -> Result<Answer, Error> {
        let request = self.client.post(format!("{}/v1/chat/completions", self.url)).json(body);
        let response = request.send().await;
        let response = response.map_err(|error| Error::unsent(&self.url, &error))?;
        let status = response.status();
        if !status.is_success() {
            let body = response.text().await.unwrap_or_default();
            let parsed: Value = serde_json::from_str(&body).unwrap_or_default();
            let param = parsed["error"]["param"].as_str().map(str::to_owned);
            let message = message(&parsed, &body);
            return Err(Error::Refused { status: status.as_u16(), message, param });
        }
        let bytes = response.bytes_stream().map(|bytes| bytes.map(Bytes::from)).boxed();
        Ok(Answer { events: bytes.eventsource(), finished: false })
    }
}

/// What an error's body, here also parsed, says: OpenAI's message, or as much of another as fits on a line.
fn message(parsed: &Value, body: &str) -> String {
    match parsed["error"]["message"].as_str().or(parsed["message"].as_str()) {
        Some(message) => plain(message),
        None => plain(body).chars().take(200).collect(),
    }
}

impl Answer {
    /// The next piece; none at the answer's end.
    pub(crate) async fn next(&mut self) -> Result<Option<Piece>, Error> {
        match self.events.next().await {
            Some(Ok(event)) if event.data == DONE => Ok(None),
            Some(Ok(event)) => {
                let piece = Piece::read(&event.data)?;
                self.finished |= piece.finish.is_some();
                Ok(Some(piece))
            }
            Some(Err(error)) => Err(Error::Broken(error.to_string())),
            None if self.finished => Ok(None),
            None => Err(Error::Broken("the server closed the stream before its end".into())),
        }
    }
}

impl Piece {
    fn read(data: &str) -> Result<Self, Error> {
        let chunk: Value = serde_json::from_str(data)
            .map_err(|error| Error::Broken(format!("an event is no JSON ({error})")))?;
        if chunk.get("error").is_some() || chunk.get("choices").is_none() {
            return Err(Error::Broken(message(&chunk, data)));
        }
        let choice = &chunk["choices"][0];
        let text = choice["delta"]["content"].as_str().unwrap_or_default().to_owned();
        let finish = choice["finish_reason"].as_str().map(str::to_owned);
        let note = chunk.get("themecast").and_then(|note| Note::deserialize(note).ok());
        Ok(Self { text, finish, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_with_and_without_v1() {
        for url in ["http://a:1", "http://a:1/", "http://a:1/v1", "http://a:1/v1/"] {
            assert_eq!(Server::new(url, None).unwrap().url, "http://a:1");
        }
        let key = Server::new("http://a:1", Some("secret\n".into())).unwrap_err().to_string();
        assert!(key.contains("line end") && !key.contains("secret"), "{key}");
        for url in ["a:1", "", "ftp://a", "localhost:8080"] {
            assert!(
                Server::new(url, None).unwrap_err().to_string().contains("http://127"),
                "{url}"
            );
        }
    }

    #[test]
    fn events_are_pieces_or_say_what_broke() {
        let plain = Piece::read(r#"{"choices":[{"delta":{"content":"Hi"}}]}"#).unwrap();
        assert_eq!(plain, Piece { text: "Hi".into(), ..Piece::default() });
        let last = Piece::read(r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#).unwrap();
        assert_eq!(last.finish.as_deref(), Some("length"));
        let noted = r#"{"choices":[{"delta":{}}],"themecast":{"now":[{"theme":"code","p":0.5}]}}"#;
        let note = Piece::read(noted).unwrap().note.unwrap();
        assert_eq!(note.now[0].theme, "code");
        let of_another_plugin = r#"{"choices":[],"themecast":{"now":"dark"}}"#;
        assert_eq!(Piece::read(of_another_plugin).unwrap(), Piece::default());
        for (data, says) in [
            (r#"{"error":{"message":"engine died"}}"#, "engine died"),
            (r#"{"message":"no such model"}"#, "no such model"),
            ("<html>", "no JSON"),
        ] {
            assert!(Piece::read(data).unwrap_err().to_string().contains(says), "{data}");
        }
    }
}
