//! How many tokens an answer has: in its usage, its summary and the metrics.

use crate::{
    plugins::Echo,
    server::{Server, chunks, client, start},
    world::{ask, block_on},
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

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
        let (prompt, completion) = counted(&server).await;
        assert_eq!(completion, 6);
        assert!(prompt >= 4, "{prompt}");
    });
}

#[test]
fn tokens_of_an_answer_that_its_client_left_are_counted() {
    block_on(async {
        let server = start(None).await;
        assert_eq!(counted(&server).await, (0, 0), "there before the first answer");
        let mut story = ask("Write a long story.", 200);
        story["stream"] = true.into();
        let mut events = server.post(&story).await.bytes_stream();
        events.next().await.unwrap().unwrap();
        drop(events);
        for _ in 0..100 {
            let (prompt, completion) = counted(&server).await;
            if completion > 0 {
                assert!(prompt > 10 && completion < 200, "{prompt} {completion}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nothing was counted");
    });
}

/// Tokens read and written so far, as the metrics have them.
async fn counted(server: &Server) -> (u64, u64) {
    let metrics = server.get("/metrics").await.text().await.unwrap();
    let of = |kind: &str| {
        let name = format!("themecast_tokens_total{{kind=\"{kind}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
        line.parse::<u64>().unwrap()
    };
    (of("prompt"), of("completion"))
}
