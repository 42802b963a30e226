//! The shipped bundle, served: every chunk annotated, catalogue, traces, metrics, swapping.

use crate::{
    server::{Server, client, listen},
    world::{MEMORY, ask, block_on, resident, single},
};
use serde_json::{Value, json};
use std::time::Duration;
use themecast::{
    forecast::{attach, load, shipped},
    host::Host,
    metrics::Metrics,
    serve::{App, Forecast, Keys},
    session::Runner,
};

async fn start() -> Server {
    let metrics = Metrics::new().unwrap();
    let app = App::new(metrics.clone(), Keys::default());
    let host = single();
    let forecast = attach(shipped::bundle().unwrap(), &*host, &app.setting).unwrap();
    // The debug of a loaded machine must not be taken for a slow plugin.
    let runner = Runner { patience: Duration::from_secs(3), ..forecast.runner };
    app.set_ready(host, Some(Forecast { runner, ..forecast })).await;
    listen(app).await
}

fn recipe(themecast: Value) -> Value {
    let mut body = ask("Give me a recipe for apple pie.", 120);
    body["themecast"] = themecast;
    body
}

#[test]
fn the_shipped_bundle_is_for_the_default_model() {
    let bundle = shipped::bundle().unwrap();
    assert!(bundle.fits(single().model()).unwrap().warnings.is_empty());
    assert!(bundle.card.evaluation.get("test").is_some(), "the card holds its evaluation");
}

#[test]
fn every_chunk_carries_a_valid_annotation() {
    block_on(async {
        let server = start().await;
        let chunks = server.stream(&recipe(json!({"every": "token", "top": 64}))).await;
        let (last, told) = chunks.split_last().unwrap();
        for (index, chunk) in told.iter().enumerate() {
            let note = &chunk["themecast"];
            assert_eq!(note["token"], index, "{note}");
            let sum: f64 =
                note["now"].as_array().unwrap().iter().map(|t| t["p"].as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 5e-3, "{note}");
            let next = note["next"].as_array().unwrap();
            assert_eq!(next.len(), 3);
            assert!(next.iter().all(|step| step["set"].as_u64().unwrap() >= 1), "{note}");
            let chains = note["chains"].as_array().unwrap();
            assert!(!chains.is_empty() && chains[0]["themes"].as_array().unwrap().len() == 3);
            let joint: f64 = chains.iter().map(|chain| chain["p"].as_f64().unwrap()).sum();
            assert!(joint > 0.0 && joint <= 1.0, "{note}");
        }
        let summary = &last["themecast"]["summary"];
        let segments = summary["segments"].as_array().unwrap();
        assert!(segments.len() >= 2, "{summary}");
        let metrics = server.get("/metrics").await.text().await.unwrap();
        for metric in [
            "themecast_forecast_probability_total{ahead=\"1\",theme=",
            "themecast_realized_themes_total{theme=",
            "themecast_surprise_nats_count{ahead=\"0\"}",
            "themecast_divergence_score_count",
            "themecast_residual_distance_count",
            "themecast_forecast_seconds_count",
            "themecast_tap_seconds_count",
        ] {
            assert!(metrics.contains(metric), "{metric} is not in\n{metrics}");
        }
    });
}

/// The keys of `value` that `schema` of the description `all` has not, by their paths.
fn undescribed(value: &Value, (all, schema): (&Value, &Value), path: &str) -> Vec<String> {
    let schema = match schema["$ref"].as_str() {
        Some(to) => all.pointer(to.trim_start_matches('#')).expect(to),
        None => schema,
    };
    match value {
        Value::Object(fields) if schema.get("properties").is_some() => {
            let field = |(key, value): (&String, &Value)| {
                let path = format!("{path}.{key}");
                match schema["properties"].get(key) {
                    Some(schema) => undescribed(value, (all, schema), &path),
                    None => vec![path],
                }
            };
            fields.iter().flat_map(field).collect()
        }
        Value::Array(values) => {
            let items = (all, &schema["items"]);
            values.iter().flat_map(|value| undescribed(value, items, path)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn the_description_of_the_api_has_every_key_that_is_answered() {
    block_on(async {
        let server = start().await;
        let described: Value = server.get("/openapi.json").await.json().await.unwrap();
        let told = |value: &Value, schema: &str| {
            let schema = described.pointer(schema).unwrap_or_else(|| panic!("no {schema}"));
            assert!(schema.is_object() && value.is_object(), "{value}");
            assert_eq!(undescribed(value, (&described, schema), ""), Vec::<String>::new());
        };
        let ask = recipe(json!({"every": "segment", "watch": ["a list"]}));
        let chunks = server.stream(&ask).await;
        for chunk in chunks.iter().filter(|chunk| chunk.get("themecast").is_some()) {
            told(&chunk["themecast"], "/components/schemas/Annotation");
        }
        let trace = format!("/v1/themecast/traces/{}", chunks[0]["id"].as_str().unwrap());
        for (path, described) in [
            (trace.as_str(), "/v1/themecast/traces/{id}"),
            ("/v1/themecast/themes", "/v1/themecast/themes"),
            ("/v1/themecast/alarms", "/v1/themecast/alarms"),
            ("/health/live", "/health/live"),
            ("/health/ready", "/health/ready"),
        ] {
            let answered: Value = server.get(path).await.json().await.unwrap();
            let place = described.replace('/', "~1");
            let schema = "get/responses/200/content/application~1json/schema";
            told(&answered, &format!("/paths/{place}/{schema}"));
        }
    });
}

#[test]
fn a_phrase_given_at_run_time_is_watched_for() {
    block_on(async {
        let server = start().await;
        let watch = json!(["ingredients of a recipe", "the weather in Norway"]);
        let chunks = server.stream(&recipe(json!({"every": "token", "watch": watch}))).await;
        let watched = &chunks[0]["themecast"]["watch"];
        let p = |place: usize| watched[place]["p"].as_f64().unwrap();
        assert_eq!(watched[0]["theme"], "ingredients of a recipe");
        assert_eq!(watched[0]["within"], 3);
        // Before the first word; the other one has nothing to do with apple pie.
        assert!(p(0) > 0.3 && p(1) < 0.1, "{watched}");
    });
}

/// As EVALUATION.md shows it.
#[test]
fn of_a_recipe_the_ingredients_are_written_while_the_steps_are_foreseen() {
    block_on(async {
        let server = start().await;
        let prompt =
            "Recipe for chocolate chip cookies, ingredients first, then step by step instructions.";
        let mut body = ask(prompt, 120);
        body["temperature"] = json!(0);
        body["frequency_penalty"] = json!(0.5); // without it the model gets lost in its list
        body["themecast"] = json!({"every": "segment"});
        let chunks = server.stream(&body).await;
        let told = chunks.iter().map(|chunk| &chunk["themecast"]);
        let told: Vec<&Value> = told.filter(|note| note["now"].is_array()).collect();
        let now = |note: &Value| note["now"][0]["theme"].as_str().unwrap().to_owned();
        let steps = told.iter().position(|note| now(note) == "steps").expect("steps come");
        let before = told[steps - 1];
        assert_eq!(now(before), "materials", "{before}");
        let next = before["next"][0]["top"].as_array().unwrap();
        let foreseen = next.iter().find(|one| one["theme"] == "steps").unwrap();
        assert!(foreseen["p"].as_f64().unwrap() > 0.25, "{before}");
    });
}

#[test]
fn plain_completions_are_annotated_too_and_the_header_asks_as_the_field_does() {
    block_on(async {
        let server = start().await;
        let post = client()
            .post(format!("{}/v1/completions", server.url))
            .header("x-themecast", "token")
            .json(&json!({"model": "default", "prompt": "Dear Sir,", "max_tokens": 12, "stream": true}));
        let events = post.send().await.unwrap().text().await.unwrap();
        let chunks = crate::server::chunks(&events);
        assert!(
            chunks[0]["themecast"]["now"].is_array() && chunks[0]["choices"][0]["text"].is_string()
        );
    });
}

#[test]
fn a_plugin_that_panics_at_start_is_an_error() {
    let metrics = Metrics::new().unwrap();
    let plugin = std::sync::Arc::new(crate::plugins::PanicsAtStart);
    let Err(error) = themecast::forecast::runner(plugin, &*single(), &metrics) else {
        panic!("it was attached")
    };
    assert_eq!(error.to_string(), "the plugin 'panics-at-start' panicked at start: on purpose");
}

#[test]
fn bundles_that_would_load_and_fail_later_are_refused() {
    let setting = themecast::forecast::Setting::new(Metrics::new().unwrap());
    let mut narrow = shipped::bundle().unwrap();
    narrow.card.open.as_mut().unwrap().dimension = 256;
    let error = attach(narrow, &*single(), &setting).err().unwrap().to_string();
    assert!(error.contains("'open' has 256 dimensions"), "{error}");
    let mut lacking = shipped::bundle().unwrap();
    lacking.card.calibration.detectors.as_mut().unwrap().coherence.quantiles.pop();
    let error = lacking.save(tempfile::tempdir().unwrap().path()).unwrap_err().to_string();
    assert!(error.contains("4 lists of rising quantiles"), "{error}");
}

#[test]
fn options_of_the_bundle_are_checked() {
    block_on(async {
        let server = start().await;
        for (themecast, param) in [
            (json!({"top": 65}), "themecast.top"),
            (json!({"horizon": 4}), "themecast.horizon"),
            (json!({"chains": 17}), "themecast.chains"),
            (json!({"watch": vec!["refunds"; 17]}), "themecast.watch"),
            (json!({"depth": 1}), "themecast.depth"),
        ] {
            let response = server.post(&recipe(themecast)).await;
            assert_eq!(response.status(), 400);
            let error: Value = response.json().await.unwrap();
            assert_eq!(error["error"]["param"], param);
        }
    });
}

#[test]
fn the_bundle_is_swapped_and_a_bad_one_refused() {
    block_on(async {
        let server = start().await;
        let put = |path: &std::path::Path| {
            client().put(format!("{}/v1/themecast/bundle", server.url)).json(&json!({"path": path}))
        };
        let folder = tempfile::tempdir().unwrap();
        let response = put(folder.path()).send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert!(response.text().await.unwrap().contains("the old bundle stays"));
        let unknown = client().put(format!("{}/v1/themecast/bundle", server.url));
        let response = unknown.json(&json!({"folder": "x"})).send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert!(error["error"]["message"].as_str().unwrap().contains("folder"), "{error}");
        let mut bundle = shipped::bundle().unwrap();
        bundle.card.themes[0].id = "swapped".into();
        bundle.save(folder.path()).unwrap();
        assert_eq!(put(folder.path()).send().await.unwrap().status(), 200);
        let themes: Value = server.get("/v1/themecast/themes").await.json().await.unwrap();
        assert_eq!(themes["themes"][0]["id"], "swapped");
        assert_eq!(themes["card"]["predictor"], "chain");
    });
}

#[test]
fn sessions_end_with_their_requests() {
    block_on(async {
        let server = start().await;
        let leave_in_the_middle = async || {
            let mut body = recipe(json!({"every": "token"}));
            body["stream"] = true.into();
            let mut response = server.post(&body).await;
            assert!(response.chunk().await.unwrap().is_some());
        };
        for _ in 0..20 {
            leave_in_the_middle().await;
        }
        let _alone = MEMORY.lock().await;
        let before = resident();
        for _ in 0..200 {
            leave_in_the_middle().await;
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 64 << 10, "{grown} kB more than before");
        server.stream(&recipe(json!(true))).await;
        for _ in 0..100 {
            if server.app.metrics.sessions() == 0 && single().live_taps() == 0 {
                let metrics = server.get("/metrics").await.text().await.unwrap();
                let failed = |line: &str| {
                    line.starts_with("themecast_plugin_failures_total{") && !line.ends_with(" 0")
                };
                assert!(!metrics.lines().any(failed), "leaving is no failure");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} sessions still live", server.app.metrics.sessions());
    });
}

#[test]
fn the_bundle_that_reads_the_text_annotates_every_chunk() {
    block_on(async {
        let app = App::new(Metrics::new().unwrap(), Keys::default());
        let (host, folder) = (single(), "bundles/smollm2-135m-instruct/chain-text");
        let folder =
            std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(folder);
        let forecast = load(&folder, &*host, &app.setting).unwrap();
        assert!(forecast.card.as_ref().unwrap().text.is_some());
        let runner = Runner { patience: Duration::from_secs(60), ..forecast.runner };
        app.set_ready(host, Some(Forecast { runner, ..forecast })).await;
        let server = listen(app).await;
        let chunks = server.stream(&recipe(json!({"every": "token"}))).await;
        let (last, told) = chunks.split_last().unwrap();
        assert!(last["themecast"]["summary"]["segments"].as_array().unwrap().len() >= 2);
        for (index, chunk) in told.iter().enumerate() {
            let note = &chunk["themecast"];
            assert_eq!(note["token"], index, "{note}");
            assert!(note["next"][0]["disagreement"].as_f64().unwrap() >= 0.0, "{note}");
        }
    });
}
