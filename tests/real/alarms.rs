//! Alarms on the real model: a watch that stops answers, a receiver that is told, audits.

use crate::{
    server::{Server, client, listen, metrics_have},
    world::{RUNTIME, ask, block_on, single},
};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use themecast::{
    forecast::{Setting, attach, shipped},
    metrics::Metrics,
    serve::{App, Forecast, Keys},
    session::Runner,
};
use themecast_alarms::{Config, Desk};
use themecast_forecast::watchlist::Watched;

/// A watch that every answer sets off at its first token.
fn anything() -> Watched {
    let themes = shipped::bundle().unwrap().card.themes.into_iter().map(|theme| theme.id);
    Watched {
        name: "anything".into(),
        themes: themes.collect(),
        phrases: Vec::new(),
        raise: 0.5,
        release: None,
    }
}

/// A server whose configuration has this `[alarms]` table.
async fn start(alarms: &str, audited: f64) -> Server {
    let metrics = Metrics::new().unwrap();
    let config = Config::from_toml(alarms).unwrap();
    let secret = |_: &str| Some("a secret".to_owned());
    let desk = Desk::open_with(&config, metrics.clone(), secret).unwrap();
    let (desk, watches) = (Some(Arc::new(desk)), vec![anything()]);
    serve(Setting { desk, watches, audited, ..Setting::new(metrics) }).await
}

async fn serve(setting: Setting) -> Server {
    let app = App::with(setting, Keys::default());
    let host = single();
    let forecast = attach(shipped::bundle().unwrap(), &*host, &app.setting).unwrap();
    let runner = Runner { patience: Duration::from_secs(3), ..forecast.runner };
    app.set_ready(host, Some(Forecast { runner, ..forecast })).await;
    listen(app).await
}

fn letter(themecast: Value) -> Value {
    let mut body = ask("Write a letter of thanks to a teacher.", 120);
    body["themecast"] = themecast;
    body
}

#[test]
fn an_answer_that_had_ended_by_itself_was_not_stopped() {
    block_on(async {
        let server = start("[alarms.policy]\nwatch = \"stop\"", 0.0).await;
        let mut ended = 0;
        for tokens in [1, 1, 1, 2, 3, 12] {
            let mut ask = letter(json!({"every": "final"}));
            ask["max_tokens"] = json!(tokens);
            let body: Value = server.post(&ask).await.json().await.unwrap();
            let reason = body["choices"][0]["finish_reason"].as_str().unwrap();
            let stopped = body["themecast"].get("stopped").is_some();
            assert_eq!(reason == "content_filter", stopped, "{body}");
            ended += usize::from(!stopped);
        }
        assert!((1..6).contains(&ended), "of six answers {ended} ended by themselves");
    });
}

#[test]
fn what_a_stop_would_break_is_refused_where_answers_are_stopped() {
    block_on(async {
        let regex = json!({"type": "regex", "value": "[a-z ]{60,80}"});
        let schema = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": {}}});
        let ask = |field: &str, value: &Value| {
            let mut ask = letter(json!(null));
            (ask["max_tokens"], ask[field]) = (json!(4), value.clone());
            ask
        };
        let stops = start("[alarms.policy]\nwatch = \"stop\"", 0.0).await;
        for (field, value) in [("grammar", &regex), ("response_format", &schema)] {
            let reply = stops.post(&ask(field, value)).await;
            assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
            let body: Value = reply.json().await.unwrap();
            assert_eq!(body["error"]["param"], field, "{body}");
        }
        let text = ask("response_format", &json!({"type": "text"}));
        assert_eq!(stops.post(&text).await.status(), StatusCode::OK);
        let shadow = start("[alarms.policy]\nwatch = \"shadow\"", 0.0).await;
        assert_eq!(shadow.post(&ask("grammar", &regex)).await.status(), StatusCode::OK);
    });
}

#[test]
fn a_stopped_answer_ends_at_the_next_token_and_says_why() {
    block_on(async {
        let server = start("[alarms.policy]\nwatch = \"stop\"", 0.0).await;
        let chunks = server.stream(&letter(json!({"every": "token"}))).await;
        let last = chunks.last().unwrap();
        assert_eq!(last["choices"][0]["finish_reason"], "content_filter");
        let stopped = &last["themecast"]["stopped"];
        assert_eq!((&stopped["by"], &stopped["token"]), (&json!("watch"), &json!(0)));
        // The engine may be a step or two ahead of the plugin.
        assert!(chunks.len() <= 5, "{} chunks", chunks.len());
        let body: Value = server.post(&letter(json!("nothing"))).await.json().await.unwrap();
        assert!(body["error"]["message"].is_string(), "a bad field is refused as ever: {body}");
        let body: Value = server.post(&letter(json!(null))).await.json().await.unwrap();
        assert_eq!(body["choices"][0]["finish_reason"], "content_filter", "without a stream too");
        assert!(body.get("themecast").is_none(), "nobody asked for annotations: {body}");
        metrics_have(&server, "themecast_policy_actions_total{outcome=\"done\",policy=\"stop\"} 2")
            .await;
        nothing_passes_by(&server).await;
        leads_to_its_trace(&server).await;
        metrics_have(&server, "themecast_watch_alarms_total{theme=\"anything\"} 2").await;
    });
}

/// Where alarms end answers there is no way to ask for one that no detector sees.
async fn nothing_passes_by(server: &Server) {
    let mut several = letter(json!(null));
    several["n"] = 2.into();
    let refused = server.post(&several).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["param"], "n");
    let url = format!("{}/v1/responses", server.url);
    let body = json!({"model": "default", "input": "Write a letter."});
    let refused = client().post(url).json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("/v1/chat/completions"));
}

/// The list of alarms names the answer, whose trace is found.
async fn leads_to_its_trace(server: &Server) {
    let listed: Value = server.get("/v1/themecast/alarms?limit=1").await.json().await.unwrap();
    let alarm = &listed["alarms"][0];
    assert_eq!((&alarm["detector"], &alarm["label"]), (&json!("watch"), &json!("anything")));
    let trace = server.get(alarm["trace"].as_str().unwrap()).await;
    let trace: Value = trace.json().await.unwrap();
    assert_eq!(trace["id"], alarm["completion_id"]);
    let none = server.get("/v1/themecast/alarms?detector=cusum").await;
    assert_eq!(none.json::<Value>().await.unwrap(), json!({"alarms": []}));
    assert_eq!(server.get("/v1/themecast/alarms?detector=nose").await.status(), 400);
}

#[test]
fn a_shadow_policy_counts_and_lets_the_answer_go_on() {
    block_on(async {
        let server = start("[alarms.policy]\nwatch = \"shadow\"", 0.0).await;
        let body: Value = server.post(&letter(json!(true))).await.json().await.unwrap();
        assert_ne!(body["choices"][0]["finish_reason"], "content_filter");
        assert!(body["themecast"].get("stopped").is_none(), "{body}");
        assert!(body["usage"]["completion_tokens"].as_u64().unwrap() > 20);
        let line = "themecast_policy_actions_total{outcome=\"would_stop\",policy=\"shadow\"} 1";
        metrics_have(&server, line).await;
    });
}

/// A receiver that refuses the first delivery; its address and what it was told.
async fn receiver() -> (String, Arc<Mutex<Vec<Value>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let take = async |State(told): State<Arc<Mutex<Vec<Value>>>>, Json(alarm): Json<Value>| {
        told.lock().push(alarm);
        if told.lock().len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    };
    let app = Router::new().route("/", post(take)).with_state(told.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    RUNTIME.spawn(async { axum::serve(listener, app).await });
    (url, told)
}

#[test]
fn a_receiver_is_told_again_until_it_takes_the_alarm() {
    block_on(async {
        let (url, told) = receiver().await;
        let alarms = format!(
            "[alarms.policy]\nwatch = \"webhook\"\n[alarms.webhook]\nurl = \"{url}\"\n\
             backoff_secs = 0.01"
        );
        let server = start(&alarms, 0.0).await;
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let request = client()
            .post(format!("{}/v1/chat/completions", server.url))
            .header("traceparent", format!("00-{trace}-b7ad6b7169203331-00"))
            .json(&letter(json!(true)));
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        let delivered =
            "themecast_policy_actions_total{outcome=\"delivered\",policy=\"webhook\"} 1";
        metrics_have(&server, delivered).await;
        let told = told.lock().clone();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[0], told[1]);
        let alarm = &told[0];
        assert_eq!((&alarm["detector"], &alarm["label"]), (&json!("watch"), &json!("anything")));
        assert_eq!(alarm["completion_id"], body["id"], "its trace is found by it");
        assert_eq!(alarm["trace_id"], trace, "its client's, though nothing is exported");
        assert_eq!(alarm["forecast"].as_array().unwrap().len(), 3);
        assert!(alarm.get("excerpt").is_none(), "no text unless asked for: {alarm}");
    });
}

#[test]
fn audited_answers_are_labelled_off_the_hot_path() {
    block_on(async {
        let server = start("", 1.0).await;
        let body: Value = server.post(&letter(json!(true))).await.json().await.unwrap();
        let segments = body["themecast"]["summary"]["segments"].as_array().unwrap().len();
        assert!(segments >= 2, "{body}");
        for _ in 0..600 {
            let metrics = server.get("/metrics").await.text().await.unwrap();
            if metrics.contains("themecast_audited_answers_total 1") {
                assert!(metrics.contains("themecast_brier_total{ahead=\"1\"}"), "{metrics}");
                assert!(metrics.contains("themecast_label_agreement_total{outcome="), "{metrics}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the answer was not audited within a minute");
    });
}

#[test]
fn a_phrase_in_the_configuration_raises_an_alarm_before_it_comes() {
    block_on(async {
        let phrase = |name: &str, phrase: &str| Watched {
            name: name.into(),
            themes: Vec::new(),
            phrases: vec![phrase.into()],
            raise: 0.3,
            release: None,
        };
        let metrics = Metrics::new().unwrap();
        let watches = vec![
            phrase("ingredients", "ingredients of a recipe"),
            phrase("weather", "the weather in Norway"),
        ];
        let server = serve(Setting { watches, ..Setting::new(metrics) }).await;
        let mut ask = letter(json!({"every": "token"}));
        ask["messages"][0]["content"] = json!("Write a recipe for apple pie.");
        let chunks = server.stream(&ask).await;
        let alarms = &chunks[0]["themecast"]["divergence"]["alarms"];
        assert_eq!(alarms, &json!(["watch: ingredients"]), "{}", chunks[0]);
    });
}

#[test]
fn a_watch_that_does_not_fit_the_bundle_is_named() {
    let unknown = Watched { themes: vec!["shoes".into()], ..anything() };
    let metrics = Metrics::new().unwrap();
    let setting = Setting { watches: vec![unknown], ..Setting::new(metrics) };
    let error = attach(shipped::bundle().unwrap(), &*single(), &setting).err().unwrap().to_string();
    assert!(error.contains("watch 'anything'") && error.contains("'shoes'"), "{error}");
    let setting = Setting { watches: vec![anything(), anything()], ..setting };
    let error = attach(shipped::bundle().unwrap(), &*single(), &setting).err().unwrap().to_string();
    assert!(error.contains("watch 'anything'") && error.contains("twice"), "{error}");
}
