//! mistral.rs's other routes: they take places as all answers do, and leave engine and model alone.

use crate::{
    server::{Server, client, listen, metrics_have, start},
    world::{RUNTIME, ask, block_on, load, single},
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use themecast::{
    host::{
        Call, Host, HostError, Route,
        mistral::{Isolation, MistralHost, Options},
    },
    metrics::Metrics,
    serve::{App, Keys},
};

const RESPONSES: &str = "/v1/responses";

fn response(tokens: usize) -> Value {
    json!({"model": "default", "input": "Tell a story.", "max_output_tokens": tokens})
}

/// A server where nobody may wait, and its engine.
async fn impatient() -> (Server, Arc<MistralHost>) {
    let options = Options { max_waiting: 0, prefix_cache: Some(0), ..Options::default() };
    let host = load(options).await;
    assert_eq!(host.isolation(), Some(Isolation::Passed), "the check itself waits");
    let app = App::new(Metrics::new().unwrap(), Keys::default());
    app.set_ready(host.clone(), None).await;
    (listen(app).await, host)
}

async fn post(server: &Server, path: &str, body: &Value) -> reqwest::Response {
    client().post(format!("{}{path}", server.url)).json(body).send().await.unwrap()
}

/// The same, again and again while there is no place.
async fn patiently(server: &Server, path: &str, body: &Value) -> reqwest::Response {
    loop {
        let answer = post(server, path, body).await;
        if answer.status() != 429 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A message with a part that names a file of this machine.
fn file(kind: &str) -> Value {
    let mut part = json!({"type": kind, "image_url": "Cargo.toml"});
    if kind == "image_url" {
        part["image_url"] = json!({"url": "Cargo.toml"});
    }
    json!([{"role": "user", "content": [{"type": "text", "text": "Look."}, part]}])
}

/// Returns once an engine is busy.
async fn busy(host: &dyn Host) {
    while host.load().busy == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn an_answer_of_another_route_waits_for_a_place_as_all_do() {
    block_on(async {
        let (server, host) = impatient().await;
        let mut story = ask("Tell a story.", 400);
        story["stream"] = true.into();
        let mut running = host.generate(Call::new(Route::Chat, story)).await.unwrap();
        running.next().await.unwrap();
        let refused = post(&server, RESPONSES, &response(4)).await;
        assert_eq!(refused.status(), 429);
        let error: Value = refused.json().await.unwrap();
        assert_eq!(error["error"]["code"], "busy");
        drop(running);
        let answer = patiently(&server, RESPONSES, &response(4)).await;
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["status"], "completed", "{answer}");
        let written = answer["usage"]["output_tokens"].as_u64().unwrap();
        let counted = format!("themecast_tokens_total{{kind=\"completion\"}} {written}\n");
        metrics_have(&server, &counted).await;
    });
}

#[test]
fn a_client_that_leaves_another_route_takes_no_engine_with_it() {
    block_on(async {
        let (server, host) = impatient().await;
        for streamed in [false, true] {
            let mut body = response(120);
            body["stream"] = streamed.into();
            let url = format!("{}{RESPONSES}", server.url);
            let asked = RUNTIME.spawn(client().post(url).json(&body).send());
            let begun = tokio::time::timeout(Duration::from_secs(10), busy(&*host)).await;
            begun.expect("it takes a place");
            asked.abort();
            drop(asked.await);
            if !streamed {
                tokio::time::sleep(Duration::from_millis(100)).await;
                assert_eq!(host.load().busy, 1, "the engine still writes");
            }
            let next = patiently(&server, Route::Chat.path(), &ask("Say hi.", 2)).await;
            assert_eq!(next.status(), 200);
            assert_eq!(host.load().dead, 0);
        }
    });
}

#[test]
fn what_would_run_beside_other_answers_is_refused() {
    block_on(async {
        let server = start(None).await;
        let plain = json!({"model": "default", "prompt": "Hi", "max_tokens": 2});
        for (path, mut body, param, value) in [
            (Route::Chat.path(), ask("Hi.", 2), "n", json!(2)),
            (Route::Completion.path(), plain, "n", json!(2)),
            (RESPONSES, response(2), "n", json!(2)),
            (RESPONSES, response(2), "background", json!(true)),
            (RESPONSES, response(2), "themecast", json!({"every": "token"})),
            (RESPONSES, response(2), "web_search_options", json!({})),
            (Route::Chat.path(), ask("Hi.", 2), "web_search_options", json!({})),
            (Route::Chat.path(), ask("Hi.", 2), "top_logprobs", json!(49_152)),
            (Route::Chat.path(), ask("Hi.", 2), "messages", file("image_url")),
            (RESPONSES, response(2), "input", file("input_image")),
        ] {
            body[param] = value;
            let refused = post(&server, path, &body).await;
            assert_eq!(refused.status(), 400, "{path} {param}");
            let error: Value = refused.json().await.unwrap();
            assert_eq!(error["error"]["param"], param, "{error}");
            assert!(!error.to_string().contains("Cargo"), "no file was looked for: {error}");
        }
        let image = json!([[[{"type": "image_url", "image_url": {"url": "Cargo.toml"}}], "user"]]);
        let mut fields = ask("Hi.", 2);
        fields["messages"] = image;
        assert_eq!(post(&server, Route::Chat.path(), &fields).await.status(), 400);
        // What mistral.rs would read, but no check can.
        let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for unseen in ["1e999", &nested] {
            let url = format!("{}{RESPONSES}", server.url);
            let body = format!("{{\"model\":\"default\",\"input\":\"Hi\",\"n\":2,\"x\":{unseen}}}");
            let request = client().post(url).header("content-type", "application/json").body(body);
            let refused = request.send().await.unwrap();
            assert_eq!(refused.status(), 400, "{unseen}");
            assert!(refused.text().await.unwrap().contains("must be a JSON object"), "{unseen}");
        }
        assert_eq!(post(&server, RESPONSES, &json!(["default", "Hi"])).await.status(), 400);
        let mut several = ask("Hi.", 2);
        several["n"] = 2.into();
        let refused = single().generate(Call::new(Route::Chat, several)).await;
        assert!(matches!(refused, Err(HostError::Invalid(_))));
    });
}

/// mistral.rs 0.8.1 keeps every answer for ever.
#[test]
fn the_latest_answers_are_kept_and_counted() {
    const KEPT: usize = 64;
    block_on(async {
        let server = start(None).await;
        let mut ids = Vec::new();
        for number in 0..=KEPT {
            let mut body = json!({"model": "default", "input": "Hi", "max_output_tokens": 1});
            body["stream"] = (number % 2 == 1).into(); // of such the conversation is kept alone
            let text = post(&server, RESPONSES, &body).await.text().await.unwrap();
            let (_, rest) = text.split_once("\"id\":\"resp_").unwrap();
            ids.push(format!("{RESPONSES}/resp_{}", rest.split_once('"').unwrap().0));
        }
        let counted =
            format!("themecast_requests_total{{route=\"other\",status=\"200\"}} {}", KEPT + 1);
        metrics_have(&server, &counted).await;
        let written = format!("themecast_tokens_total{{kind=\"completion\"}} {}\n", KEPT + 1);
        metrics_have(&server, &written).await;
        let mut first = server.get(&ids[0]).await.status();
        for _ in 0..100 {
            if first != 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            first = server.get(&ids[0]).await.status();
        }
        assert_eq!(first, 404);
        assert_eq!(server.get(&ids[2]).await.status(), 200, "{}", ids[2]);
        assert_eq!(server.get(&ids[KEPT]).await.status(), 200);
    });
}

#[test]
fn a_wrong_method_is_told_with_those_that_are_right() {
    block_on(async {
        let refused = start(None).await.get(RESPONSES).await;
        assert_eq!(refused.status(), 405);
        assert_eq!(refused.headers()["allow"], "POST");
        let error: Value = refused.json().await.unwrap();
        assert_eq!(error["error"]["code"], "method_not_supported");
    });
}

#[test]
fn the_model_that_is_tapped_stays() {
    block_on(async {
        let server = start(None).await;
        let body = json!({"model_id": "default", "ggml_type": "Q4K"});
        for path in ["/v1/models/unload", "/v1/models/reload", "/v1/models/tune", "/re_isq"] {
            let refused = post(&server, path, &body).await;
            assert_eq!(refused.status(), 400, "{path}");
            assert!(refused.text().await.unwrap().contains("--model"), "{path}");
        }
        assert_eq!(server.post(&ask("Say hi.", 2)).await.status(), 200);
    });
}
