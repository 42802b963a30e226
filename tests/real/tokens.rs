//! How many tokens an answer has: in its usage, its summary and the metrics.

use crate::{
    plugins::Echo,
    server::{chunks, client, start},
    world::{ask, block_on},
};
use serde_json::{Value, json};
use std::sync::Arc;

#[test]
fn a_summary_counts_what_usage_counts_streamed_or_whole() {
    block_on(async {
        let server = start(Some(Arc::new(Echo))).await;
        for (prompt, tokens) in [("Name a colour.", 8), ("Say hi.", 60)] {
            let mut body = ask(prompt, tokens);
            body["themecast"] = json!({"every": "final"});
            let whole: Value = server.post(&body).await.json().await.unwrap();
            let streamed = server.stream(&body).await;
            for last in [&whole, streamed.last().unwrap()] {
                let used = &last["usage"]["completion_tokens"];
                assert!(used.as_u64().unwrap() > 1, "{last}");
                assert_eq!(last["themecast"]["tokens"], *used, "{last}");
            }
        }
    });
}

#[test]
fn tokens_are_counted_where_mistral_rs_does_not_tell_them() {
    block_on(async {
        let server = start(None).await;
        let body = json!({
            "model": "default", "prompt": "Once upon a time", "stream": true,
            "max_tokens": 6, "temperature": 0.0, "top_k": 1,
        });
        let url = format!("{}/v1/completions", server.url);
        let events = client().post(url).json(&body).send().await.unwrap().text().await.unwrap();
        assert!(chunks(&events).iter().all(|chunk| chunk.get("usage").is_none()));
        let metrics = server.get("/metrics").await.text().await.unwrap();
        let count = |kind: &str| {
            let name = format!("themecast_tokens_total{{kind=\"{kind}\"}} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
            line.map(|count| count.parse::<u64>().unwrap())
        };
        assert_eq!(count("completion"), Some(6));
        assert!(count("prompt").is_some_and(|tokens| tokens >= 4), "{metrics}");
    });
}
