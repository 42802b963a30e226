//! What a client asks for: the `themecast` field of a request, or the `x-themecast` header.

use super::ApiError;
use axum::http::HeaderMap;
use serde_json::{Map, Value};
use themecast_plugin_api as api;

/// The header for clients that can't add fields.
pub(super) const HEADER: &str = "x-themecast";
/// The field of the request's body.
const FIELD: &str = "themecast";

/// Which chunks are annotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Every {
    /// Each one.
    Token,
    /// The first of each segment, and the last of all.
    Segment,
    /// The last one.
    Final,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) every: Every,
    /// The plugin's own options.
    pub(super) options: api::Value,
}

impl Ask {
    /// Whether phrases are to be watched for, which takes an encoder.
    pub(super) fn phrases(&self) -> bool {
        self.options.get("watch").is_some()
    }
}

/// Takes what is asked for out of a request; none where nothing is.
pub(super) fn take(body: &mut Value, headers: &HeaderMap) -> Result<Option<Ask>, ApiError> {
    let fields = body.as_object_mut().ok_or_else(|| ApiError::Invalid {
        message: "the body must be a JSON object".into(),
        param: None,
    })?;
    let header = headers.get(HEADER).map(|value| every(value.to_str().unwrap_or("")));
    let header = header.transpose().map_err(|message| ApiError::invalid(HEADER, message))?;
    match fields.remove(FIELD) {
        None | Some(Value::Null | Value::Bool(false)) => {
            Ok(header.map(|every| Ask { every, options: api::Value::Null }))
        }
        Some(Value::Bool(true)) => {
            Ok(Some(Ask { every: header.unwrap_or(Every::Segment), options: api::Value::Null }))
        }
        Some(Value::Object(asked)) => of_object(asked, header).map(Some),
        Some(other) => Err(ApiError::invalid(
            FIELD,
            format!("must be true or an object such as {{\"every\": \"token\"}}, was {other}"),
        )),
    }
}

/// The text that is to be answered: a chat's last message of its user, its only one where
/// `messages` is a text, or a completion's prompt; empty where there is none.
pub(super) fn prompt(body: &Value) -> String {
    if let Some(Value::String(only)) = body.get("messages") {
        return only.clone();
    }
    let messages = body.get("messages").and_then(Value::as_array);
    let of_user = |message: &&Value| message["role"] == "user";
    let last = messages.and_then(|messages| messages.iter().rfind(of_user));
    match last.map_or(&body["prompt"], |message| &message["content"]) {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn of_object(mut asked: Map<String, Value>, header: Option<Every>) -> Result<Ask, ApiError> {
    let named = match asked.remove("every") {
        None => None,
        Some(Value::String(name)) => Some(every(&name)),
        Some(other) => {
            Some(Err(format!("must be \"token\", \"segment\" or \"final\", was {other}")))
        }
    };
    let named =
        named.transpose().map_err(|message| ApiError::invalid("themecast.every", message))?;
    let options = match asked.is_empty() {
        true => api::Value::Null,
        false => option(Value::Object(asked)),
    };
    Ok(Ask { every: named.or(header).unwrap_or(Every::Segment), options })
}

fn every(name: &str) -> Result<Every, String> {
    match name {
        "token" => Ok(Every::Token),
        "segment" => Ok(Every::Segment),
        "final" => Ok(Every::Final),
        other => Err(format!("must be \"token\", \"segment\" or \"final\", was \"{other}\"")),
    }
}

/// A JSON value as plugins see it.
fn option(value: Value) -> api::Value {
    match value {
        Value::Null => api::Value::Null,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        Value::String(text) => text.into(),
        Value::Array(values) => values.into_iter().map(option).collect::<Vec<_>>().into(),
        Value::Object(fields) => api::Value::map(fields.into_iter().map(|(k, v)| (k, option(v)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(mut body: Value, header: Option<&str>) -> Result<Option<Ask>, String> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(HEADER, header.parse().unwrap());
        }
        let asked = take(&mut body, &headers).map_err(|error| error.body().to_string());
        assert!(body.get(FIELD).is_none(), "the host never sees the field");
        asked
    }

    #[test]
    fn the_prompt_is_the_last_message_of_the_user_or_the_completions() {
        let chat = json!({"messages": [
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "answer"},
            {"role": "user", "content": [{"type": "text", "text": "second"}, {"type": "image_url"}]},
        ]});
        assert_eq!(prompt(&chat), "second");
        assert_eq!(prompt(&json!({"prompt": "Once"})), "Once");
        assert_eq!(prompt(&json!({"messages": "Twice"})), "Twice");
        assert_eq!(prompt(&json!({"messages": []})), "");
    }

    fn every_of(body: Value, header: Option<&str>) -> Option<Every> {
        check(body, header).unwrap().map(|ask| ask.every)
    }

    #[test]
    fn field_and_header_are_read() {
        assert_eq!(every_of(json!({}), None), None);
        assert_eq!(every_of(json!({"themecast": false}), None), None);
        assert_eq!(every_of(json!({"themecast": true}), None), Some(Every::Segment));
        assert_eq!(every_of(json!({}), Some("token")), Some(Every::Token));
        assert_eq!(
            every_of(json!({"themecast": {"every": "final"}}), Some("token")),
            Some(Every::Final)
        );
        let asked = check(json!({"themecast": {"top": 5}}), None).unwrap().unwrap();
        assert_eq!(asked.options.get("top"), Some(&api::Value::Int(5)));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_parameter() {
        for (body, header, param) in [
            (json!({"themecast": 3}), None, "\"themecast\""),
            (json!({"themecast": {"every": "word"}}), None, "themecast.every"),
            (json!({"themecast": {"every": 1}}), None, "themecast.every"),
            (json!({}), Some("often"), "x-themecast"),
        ] {
            let error = check(body, header).unwrap_err();
            assert!(error.contains(param) && error.contains("must be"), "{error}");
        }
    }
}
