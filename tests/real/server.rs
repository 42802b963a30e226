//! The server over HTTP: what it sends with the field, without it, and to bad input.

use crate::{
    plugins::{Echo, Misbehaving},
    world::{RUNTIME, ask, block_on, single},
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use themecast::{
    forecast::runner,
    host::Host,
    metrics::Metrics,
    serve::{self, App, Forecast, Keys},
    session::Runner,
};
use themecast_plugin_api::Plugin;

/// A server of its own port over the shared host.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) app: Arc<App>,
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub(crate) async fn start(plugin: Option<Arc<dyn Plugin>>) -> Server {
    start_with(plugin, false).await
}

async fn start_failing_closed(plugin: Arc<dyn Plugin>) -> Server {
    start_with(Some(plugin), true).await
}

async fn start_with(plugin: Option<Arc<dyn Plugin>>, fail_closed: bool) -> Server {
    let metrics = Metrics::new().unwrap();
    let app = App::new(metrics.clone(), Keys::default());
    let host = single();
    let forecast = plugin.map(|plugin| {
        let runner = runner(plugin, &*host, &metrics).unwrap();
        // The debug of a loaded machine must not be taken for a slow plugin.
        let runner = Runner { patience: Duration::from_secs(3), fail_closed, ..runner };
        Forecast::from(runner)
    });
    app.set_ready(host, forecast).await;
    listen(app).await
}

pub(crate) async fn listen(app: Arc<App>) -> Server {
    let listener = serve::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    RUNTIME.spawn(serve::serve(listener, app.clone(), std::future::pending()));
    Server { url, app }
}

impl Server {
    pub(crate) async fn post(&self, body: &Value) -> reqwest::Response {
        let url = format!("{}/v1/chat/completions", self.url);
        client().post(url).json(body).send().await.unwrap()
    }

    /// The chunks of a streamed answer, and whether `[DONE]` ended it.
    pub(crate) async fn stream(&self, body: &Value) -> Vec<Value> {
        let mut body = body.clone();
        body["stream"] = true.into();
        let response = self.post(&body).await;
        assert_eq!(response.status(), 200);
        chunks(&response.text().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        client().get(format!("{}{path}", self.url)).send().await.unwrap()
    }
}

pub(crate) fn chunks(events: &str) -> Vec<Value> {
    let data: Vec<&str> = events.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let (done, chunks) = data.split_last().unwrap();
    assert_eq!(*done, "[DONE]");
    chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect()
}

pub(crate) fn content(chunk: &Value) -> &str {
    chunk["choices"][0]["delta"]["content"].as_str().unwrap_or("")
}

pub(crate) fn asked(prompt: &str, tokens: usize, themecast: Value) -> Value {
    let mut body = ask(prompt, tokens);
    body["themecast"] = themecast;
    body
}

/// Without what differs from run to run.
fn timeless(mut chunk: Value) -> Value {
    let fields = chunk.as_object_mut().unwrap();
    fields.remove("id");
    fields.remove("created");
    let seconds = |usage: &mut Value| {
        for (key, value) in usage.as_object_mut().into_iter().flatten() {
            if !key.ends_with("tokens") {
                *value = 0.into();
            }
        }
    };
    fields.get_mut("usage").map(seconds);
    chunk
}

#[test]
fn without_the_field_a_stream_is_what_mistral_rs_sends() {
    use tower::ServiceExt;
    block_on(async {
        let server = start(Some(Arc::new(Echo))).await;
        let mut body = ask("Name a river.", 12);
        body["stream"] = true.into();
        let request = axum::http::Request::post("/v1/chat/completions")
            .header("content-type", "application/json")
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let theirs = single().other_routes().await.unwrap().oneshot(request).await.unwrap();
        let theirs = axum::body::to_bytes(theirs.into_body(), 1 << 20).await.unwrap();
        let theirs = chunks(std::str::from_utf8(&theirs).unwrap());
        let ours = server.stream(&body).await;
        let timeless = |chunks: Vec<Value>| chunks.into_iter().map(timeless).collect::<Vec<_>>();
        assert_eq!(timeless(ours), timeless(theirs));
    });
}

#[test]
fn a_segment_client_gets_milestones_and_a_final_one_the_summary() {
    block_on(async {
        let server = start(Some(Arc::new(Echo))).await;
        let told =
            |chunks: &[Value]| chunks.iter().filter(|c| c.get("themecast").is_some()).count();
        let by_segment = server.stream(&asked("Name a colour.", 24, json!(true))).await;
        assert!(told(&by_segment) < by_segment.len() && told(&by_segment) >= 2);
        let at_the_end =
            server.stream(&asked("Name a colour.", 24, json!({"every": "final"}))).await;
        assert_eq!(told(&at_the_end), 1);
        let whole: Value =
            server.post(&asked("Name a colour.", 8, json!(true))).await.json().await.unwrap();
        assert!(whole["themecast"]["tokens"].as_u64().unwrap() > 0, "{whole}");
    });
}

#[test]
fn a_plugin_that_fails_never_breaks_the_stream() {
    block_on(async {
        let expected = start(None).await.stream(&ask("Describe the sea.", 24)).await;
        let expected: String = expected.iter().map(content).collect();
        for (plugin, why) in [
            (Misbehaving::Panics, "panicked"),
            (Misbehaving::Errs, "on purpose"),
            (Misbehaving::SaysNan, "not finite"),
            (Misbehaving::Sleeps, "late"),
        ] {
            let server = start(Some(Arc::new(plugin))).await;
            let body = asked("Describe the sea.", 24, json!({"every": "token"}));
            let chunks = tokio::time::timeout(Duration::from_secs(60), server.stream(&body)).await;
            let chunks = chunks.expect("a slow plugin does not slow the stream");
            let text: String = chunks.iter().map(content).collect();
            assert_eq!(text, expected, "{plugin:?}");
            let error = chunks[8]["themecast"]["error"].as_str().unwrap();
            assert!(error.contains(why), "{plugin:?}: {error}");
            let metrics = server.get("/metrics").await.text().await.unwrap();
            let counted = match plugin {
                Misbehaving::Sleeps => "themecast_annotations_dropped_total{reason=\"late\"}",
                _ => "themecast_plugin_failures_total{kind=",
            };
            let counts = |line: &str| line.starts_with(counted) && !line.ends_with(" 0");
            assert!(metrics.lines().any(counts), "{plugin:?}\n{metrics}");
        }
    });
}

#[test]
fn where_answers_must_be_watched_a_session_that_fails_ends_its_answer() {
    block_on(async {
        for plugin in [Misbehaving::Panics, Misbehaving::Errs, Misbehaving::SaysNan] {
            let server = start_failing_closed(Arc::new(plugin)).await;
            let chunks = server.stream(&ask("Describe the sea.", 60)).await;
            let finish = &chunks.last().unwrap()["choices"][0]["finish_reason"];
            assert_eq!(finish, "content_filter", "{plugin:?}");
            assert!((3..30).contains(&chunks.len()), "{plugin:?}: {} chunks", chunks.len());
        }
        let server = start_failing_closed(Arc::new(Misbehaving::NeverOpens)).await;
        let reply = server.post(&ask("Describe the sea.", 4)).await;
        assert_eq!(reply.status(), 503, "{}", reply.text().await.unwrap());
        let open = start(Some(Arc::new(Misbehaving::NeverOpens))).await;
        assert_eq!(open.post(&ask("Describe the sea.", 4)).await.status(), 200);
    });
}

async fn refused(server: &Server, body: &str, status: u16, says: &str) {
    let post = client()
        .post(format!("{}/v1/chat/completions", server.url))
        .header("content-type", "application/json")
        .body(body.to_owned());
    let response = post.send().await.unwrap();
    assert_eq!(response.status().as_u16(), status, "{body:.80}");
    let error: Value = response.json().await.unwrap();
    for key in ["message", "type", "param", "code"] {
        assert!(error["error"].get(key).is_some(), "{error} has no {key}");
    }
    assert!(error.to_string().contains(says), "{error} does not say {says}");
}

#[test]
fn a_model_is_known_by_the_name_of_its_file() {
    block_on(async {
        let server = start(Some(Arc::new(Echo))).await;
        for route in ["/v1/chat/completions", "/v1/completions"] {
            let mut body = ask("Name a river.", 2);
            body["prompt"] = "A river:".into();
            body["model"] = single().name().into();
            let answer = client().post(format!("{}{route}", server.url)).json(&body).send().await;
            let answer = answer.unwrap();
            assert_eq!(answer.status(), 200, "{route}: {}", answer.text().await.unwrap());
        }
    });
}

#[test]
fn bad_input_is_refused_in_openais_shape() {
    block_on(async {
        let server = start(Some(Arc::new(Echo))).await;
        refused(&server, "{not json", 400, "JSON").await;
        refused(&server, "[]", 400, "object").await;
        refused(&server, "{}", 400, "messages").await;
        let body = |extra: Value| {
            let mut body = ask("Hi.", 2);
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            body.to_string()
        };
        refused(&server, &body(json!({"themecast": 3})), 400, "themecast").await;
        refused(&server, &body(json!({"themecast": {"every": "word"}})), 400, "themecast.every")
            .await;
        refused(&server, &body(json!({"themecast": {"unheard": 1}})), 400, "themecast.unheard")
            .await;
        refused(&server, &body(json!({"themecast": true, "n": 2})), 400, "\"n\"").await;
        refused(&server, &body(json!({"model": "other"})), 400, "other").await;
        let large = body(json!({"user": "x".repeat(serve::BODY_LIMIT)}));
        refused(&server, &large, 413, "larger than").await;
        assert_eq!(server.get("/v1/themecast/traces/none").await.status(), 404);
        assert_eq!(server.get("/v1/themecast/traces/%FF").await.status(), 400);
        let bare = start(None).await;
        refused(&bare, &body(json!({"themecast": true})), 400, "without a forecast").await;
    });
}

#[test]
fn every_route_of_the_description_is_there() {
    block_on(async {
        let server = start(Some(Arc::new(Echo))).await;
        let described: Value = server.get("/openapi.json").await.json().await.unwrap();
        let paths = described["paths"].as_object().unwrap();
        assert!(paths.len() >= 12);
        for (path, operations) in paths {
            let get = operations.get("get").is_some();
            if !get || path.contains("live") || path.contains("{id}") || path.contains("themes") {
                continue; // endless, or nothing to show for a plugin without a bundle
            }
            assert_eq!(server.get(path).await.status(), 200, "{path}");
        }
    });
}

#[test]
fn what_was_said_of_an_answer_that_its_client_left_is_kept() {
    block_on(async {
        let server = start(Some(Arc::new(Echo))).await;
        let mut body = asked("Write a long story.", 200, json!({"every": "token"}));
        body["stream"] = true.into();
        let mut events = server.post(&body).await.bytes_stream();
        let mut first = String::new();
        while !first.contains("\n\n") {
            first.push_str(&String::from_utf8_lossy(&events.next().await.unwrap().unwrap()));
        }
        drop(events);
        let chunk = first.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let chunk: Value = serde_json::from_str(chunk).unwrap();
        let path = format!("/v1/themecast/traces/{}", chunk["id"].as_str().unwrap());
        for _ in 0..100 {
            let kept = server.get(&path).await;
            if kept.status() == 200 {
                let trace: Value = kept.json().await.unwrap();
                assert_eq!(trace["annotations"][0], chunk["themecast"]);
                assert!(trace["summary"].is_null(), "it has no end: {trace}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no trace of an answer that was left");
    });
}

#[test]
fn a_server_is_live_before_it_is_ready() {
    block_on(async {
        let server = listen(App::new(Metrics::new().unwrap(), Keys::default())).await;
        assert_eq!(server.get("/health/live").await.status(), 200);
        assert_eq!(server.get("/health/ready").await.status(), 503);
        refused(&server, &ask("Hi.", 2).to_string(), 503, "not_ready").await;
        server.app.set_ready(single(), None).await;
        assert_eq!(server.get("/health/ready").await.status(), 200);
        assert_eq!(server.get("/v1/models").await.status(), 200);
    });
}

/// Asks until the metrics have `line`, for at most five seconds.
pub(crate) async fn metrics_have(server: &Server, line: &str) {
    let mut metrics = String::new();
    for _ in 0..100 {
        metrics = server.get("/metrics").await.text().await.unwrap();
        if metrics.contains(line) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{line} is not in\n{metrics}");
}
