//! Who may ask, who may administer, and the feed of running answers.

use crate::{
    server::{Server, client, listen},
    world::{RUNTIME, ask, block_on, single},
};
use axum::http::Method;
use futures::StreamExt;
use serde_json::{Value, json};
use std::{io::Write, sync::Arc, time::Duration};
use themecast::{
    forecast::{attach, shipped},
    metrics::Metrics,
    serve::{self, App, Keys},
};

/// An app that is ready, with the shipped bundle.
async fn app(keys: Keys) -> Arc<App> {
    let app = App::new(Metrics::new().unwrap(), keys);
    let host = single();
    let forecast = attach(shipped::bundle().unwrap(), &*host, &app.setting).unwrap();
    app.set_ready(host, Some(forecast)).await;
    app
}

fn file(key: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "# keys\n{key}").unwrap();
    file
}

/// The status that `method` at `path` answers to whoever sends `key`.
async fn status(server: &Server, method: &Method, path: &str, key: &str) -> u16 {
    let request = client().request(method.clone(), format!("{}{path}", server.url));
    let body = if path.starts_with("/v1/chat") { ask("Hello", 1) } else { json!({}) };
    let request = if *method == Method::GET { request } else { request.json(&body) };
    request.bearer_auth(key).send().await.unwrap().status().as_u16()
}

#[test]
fn each_route_takes_the_keys_that_it_should() {
    block_on(async {
        let (api, admin) = (file("for-all"), file("for-one"));
        let keys = Keys::read(Some(api.path()), Some(admin.path())).unwrap();
        let server = listen(app(keys).await).await;
        for (method, path, nobody, user, chief) in [
            (Method::POST, "/v1/chat/completions", 401, 200, 200),
            (Method::GET, "/v1/models", 401, 200, 200),
            (Method::GET, "/v1/themecast/themes", 401, 200, 200),
            (Method::GET, "/v1/themecast/alarms", 401, 401, 200),
            (Method::GET, "/v1/themecast/live", 401, 401, 200),
            // A body that names no bundle is refused, but its sender is known.
            (Method::PUT, "/v1/themecast/bundle", 401, 401, 400),
            (Method::GET, "/metrics", 200, 200, 200),
        ] {
            for (key, wanted) in [("guess", nobody), ("for-all", user), ("for-one", chief)] {
                let found = status(&server, &method, path, key).await;
                assert_eq!(found, wanted, "{method} {path} with {key}");
            }
        }
        // What changes the model for everybody is not for users; nobody here tries as the chief.
        for path in ["/v1/models/unload", "/v1/models/tune", "/re_isq"] {
            assert_eq!(status(&server, &Method::POST, path, "for-all").await, 401, "{path}");
        }
        let metrics = server.get("/metrics").await.text().await.unwrap();
        let refused = "themecast_requests_total{route=\"/v1/chat/completions\",status=\"401\"} 1";
        assert!(metrics.contains(refused), "{metrics}");
    });
}

#[test]
fn where_only_users_have_keys_nobody_administers() {
    block_on(async {
        let api = file("for-all");
        let server = listen(app(Keys::read(Some(api.path()), None).unwrap()).await).await;
        let bundle = status(&server, &Method::PUT, "/v1/themecast/bundle", "for-all").await;
        assert_eq!(bundle, 401);
        assert_eq!(status(&server, &Method::POST, "/re_isq", "for-all").await, 401);
    });
}

#[test]
fn the_feed_shows_running_answers_and_does_not_keep_a_server_that_stops() {
    block_on(async {
        let app = app(Keys::default()).await;
        let listener = serve::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopped = async move {
            let _ = stopped.await;
        };
        let serving = RUNTIME.spawn(serve::serve(listener, app.clone(), stopped));
        let server = Server { url, app };
        let mut feed = server.get("/v1/themecast/live").await.bytes_stream();
        let mut body = ask("Name three colours.", 8);
        body["themecast"] = json!({"every": "token"});
        let chunks = server.stream(&body).await;
        let mut seen = String::new();
        while !seen.contains("\n\n") {
            seen.push_str(&String::from_utf8_lossy(&feed.next().await.unwrap().unwrap()));
        }
        let event = seen.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let event: Value = serde_json::from_str(event).unwrap();
        assert_eq!(event["id"], chunks[0]["id"]);
        assert_eq!(event["themecast"], chunks[0]["themecast"]);
        while !seen.contains("\"summary\"") {
            seen.push_str(&String::from_utf8_lossy(&feed.next().await.unwrap().unwrap()));
        }
        stop.send(()).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(10), serving).await;
        ended.expect("the open feed kept the server").unwrap().unwrap();
    });
}
