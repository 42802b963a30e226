//! What of a request is refused before the host sees it, because mistral.rs would do more with it than
//! a server for strangers may. What the `themecast` field asks for is read elsewhere.

use super::ApiError;
use serde_json::Value;

/// The most likely tokens that may be asked for beside each written one: OpenAI's limit. mistral.rs
/// would keep the whole vocabulary's, until the end of the answer.
const MOST_LOGPROBS: u64 = 20;

/// What makes mistral.rs refuse the end token in the middle of an answer.
const CONSTRAINTS: [&str; 2] = ["grammar", "response_format"];

/// Parts of a message that are text; of others mistral.rs opens the address or file that some name.
const TEXT: [&str; 3] = ["text", "input_text", "output_text"];

/// Refuses what would batch on an engine that runs one sequence at a time, fetch what a stranger names,
/// or take memory without bound.
pub(super) fn check(body: &Value, at_once: usize) -> Result<(), ApiError> {
    one_sequence(body, at_once)?;
    nothing_from_the_web(body)?;
    text_alone(body)?;
    few_logprobs(body)
}

/// Whether several choices are asked for.
pub(super) fn several(body: &Value) -> bool {
    body.get("n").and_then(Value::as_u64).unwrap_or(1) > 1
}

/// The field that says how the answer has to look, where one does.
pub(super) fn constraint(body: &Value) -> Option<&'static str> {
    CONSTRAINTS.into_iter().find(|field| {
        let value = &body[field];
        !value.is_null() && value["type"] != "text"
    })
}

/// Refuses several choices where an engine runs one sequence at a time: mistral.rs would run them
/// as one batch all the same.
fn one_sequence(body: &Value, at_once: usize) -> Result<(), ApiError> {
    match several(body) && at_once == 1 {
        true => Err(ApiError::invalid(
            "n",
            "must be 1: an engine of this server runs one sequence at a time, so send a request for \
             each choice",
        )),
        false => Ok(()),
    }
}

/// Refuses mistral.rs's own tools, which have the server fetch whatever address the model names.
fn nothing_from_the_web(body: &Value) -> Result<(), ApiError> {
    match body.get("web_search_options").is_some_and(|options| !options.is_null()) {
        true => Err(ApiError::invalid(
            "web_search_options",
            "must be left out: this server fetches nothing from the web",
        )),
        false => Ok(()),
    }
}

/// Refuses images, sounds and videos: the models here read text alone, and mistral.rs would first
/// fetch the address, or read the file of this machine, that such a part names.
fn text_alone(body: &Value) -> Result<(), ApiError> {
    for field in ["messages", "input"] {
        for item in body[field].as_array().into_iter().flatten() {
            let mut parts = item["content"].as_array().into_iter().flatten();
            if let Some(other) = parts.find(|part| !is_text(part)) {
                let why = "has a part that is no text, which is all that this server's model reads";
                return Err(ApiError::invalid(field, format!("{why}: {}", kind(other))));
            }
            // mistral.rs would also take an array of a message's fields in order.
            if !item.is_object() {
                return Err(ApiError::invalid(field, "must be objects with 'role' and 'content'"));
            }
        }
    }
    Ok(())
}

fn is_text(part: &Value) -> bool {
    let untyped = part["type"].is_null() && part["text"].is_string();
    part.is_object() && (untyped || TEXT.contains(&kind(part)))
}

fn kind(part: &Value) -> &str {
    part["type"].as_str().unwrap_or("no type")
}

fn few_logprobs(body: &Value) -> Result<(), ApiError> {
    // Chat has a switch and a number, completions one number.
    let asked = |field: &'static str| (field, body[field].as_u64().unwrap_or(0));
    let too_many = ["top_logprobs", "logprobs"]
        .map(asked)
        .into_iter()
        .find(|&(_, number)| number > MOST_LOGPROBS);
    match too_many {
        None => Ok(()),
        Some((field, number)) => {
            Err(ApiError::invalid(field, format!("{number}: want at most {MOST_LOGPROBS}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(body: &Value) -> Option<String> {
        match check(body, 1) {
            Ok(()) => None,
            Err(ApiError::Invalid { param, .. }) => param,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_more_than_text_is_refused_on_every_route() {
        let part = |part: Value| json!([{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]);
        for file in [
            "http://127.0.0.1:9/x",
            "file:///etc/passwd",
            "/etc/passwd",
            "data:image/png;base64,AA",
        ] {
            for kind in ["image_url", "audio_url", "video_url"] {
                let messages = part(json!({"type": kind, kind: {"url": file}}));
                assert_eq!(refused(&json!({"messages": messages})).as_deref(), Some("messages"));
            }
            let input = part(json!({"type": "input_image", "image_url": file}));
            assert_eq!(refused(&json!({"input": input})).as_deref(), Some("input"));
        }
        let untyped = part(json!({"image_url": {"url": "/etc/passwd"}}));
        assert_eq!(refused(&json!({"messages": untyped})).as_deref(), Some("messages"));
        let fields =
            json!([[[{"type": "image_url", "image_url": {"url": "/etc/passwd"}}], "user"]]);
        assert_eq!(refused(&json!({"messages": fields})).as_deref(), Some("messages"));
        let ordered = part(json!(["input_image", "/etc/passwd", null, null]));
        assert_eq!(refused(&json!({"input": ordered})).as_deref(), Some("input"));
        assert_eq!(refused(&json!({"messages": [{"content": [{"text": "Hi"}]}]})), None);
        let said = part(json!({"type": "output_text", "text": "y"}));
        assert_eq!(refused(&json!({"input": said})), None);
        assert_eq!(refused(&json!({"input": "Hello", "messages": [{"content": "Hello"}]})), None);
    }

    #[test]
    fn what_grows_or_batches_is_refused() {
        assert_eq!(refused(&json!({"n": 2})).as_deref(), Some("n"));
        assert_eq!(refused(&json!({"logprobs": true, "top_logprobs": 20})), None);
        assert_eq!(refused(&json!({"top_logprobs": 21})).as_deref(), Some("top_logprobs"));
        assert_eq!(refused(&json!({"logprobs": 49_152})).as_deref(), Some("logprobs"));
        assert_eq!(
            refused(&json!({"web_search_options": {}})).as_deref(),
            Some("web_search_options")
        );
    }

    #[test]
    fn a_format_of_plain_text_is_no_constraint() {
        assert_eq!(constraint(&json!({"response_format": {"type": "text"}})), None);
        assert_eq!(constraint(&json!({"grammar": {"type": "regex"}})), Some("grammar"));
    }
}
