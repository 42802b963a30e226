//! Annotations in the chunks of their tokens, however mistral.rs cuts its chunks.

use crate::{
    plugins::Echo,
    server::{asked, content, start},
    world::block_on,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The plugin is told the text of each token one step after the stream sends it; the most tokens
/// that a chunk carries.
fn check_alignment(prompt: &str, tools: Value) -> usize {
    block_on(async {
        let server = start(Some(Arc::new(Echo))).await;
        let mut body = asked(prompt, 48, json!({"every": "token"}));
        let holds_back = !tools.is_null();
        body["tools"] = tools;
        let chunks = server.stream(&body).await;
        let (last, chunks) = chunks.split_last().unwrap();
        let index = |chunk: &Value| chunk["themecast"]["index"].as_u64().unwrap() as usize;
        let trace =
            server.get(&format!("/v1/themecast/traces/{}", last["id"].as_str().unwrap())).await;
        let trace: Value = trace.json().await.unwrap();
        let told = trace["annotations"].as_array().unwrap();
        assert!(told.iter().enumerate().all(|(at, note)| note["index"] == at), "{trace}");
        let text = |index: usize| {
            let of = told.iter().find(|note| note["index"] == index + 1);
            of.map(|note| note["text"].as_str().unwrap().to_owned())
        };
        for pair in chunks.windows(2) {
            assert!(index(&pair[0]) < index(&pair[1]));
            if let Some(text) = text(index(&pair[0])) {
                let sent = content(&pair[0]);
                let held = holds_back && !text.is_empty() && sent.ends_with(&text);
                let same = held || text.ends_with(sent.trim_start());
                assert!(same, "{text:?} {}", pair[0]);
            }
        }
        let whole: String = chunks.iter().map(content).collect();
        assert!(whole.len() > 20, "{whole}");
        assert!(last["themecast"]["tokens"].as_u64().unwrap() >= chunks.len() as u64);
        let most = chunks.windows(2).map(|pair| index(&pair[1]) - index(&pair[0])).max();
        most.unwrap_or_default()
    })
}

#[test]
fn annotations_belong_to_their_tokens() {
    assert_eq!(check_alignment("Describe a walk through a forest.", Value::Null), 1);
}

#[test]
fn annotations_belong_to_their_tokens_where_characters_take_several() {
    check_alignment("Write only emoji and Japanese: 🎉🎊 日本語 🙂🚀. Repeat them.", Value::Null);
}

/// What is quoted begins as JSON does, so mistral.rs waits for its end.
#[test]
fn annotations_belong_to_their_tokens_where_text_could_be_a_call_of_a_tool() {
    let function = json!({"name": "weather", "description": "the weather", "parameters": {}});
    let tools = json!([{"type": "function", "function": function}]);
    let prompt = "Write three sayings, each of them in double quotes.";
    assert!(check_alignment(prompt, tools) > 1);
}
