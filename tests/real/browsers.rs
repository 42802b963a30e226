//! What browsers need: leave to ask from any page, said once; and refusals that a client can read
//! where no route is.

use crate::{
    server::{Server, client, listen},
    world::{block_on, single},
};
use axum::http::Method;
use reqwest::Response;
use serde_json::Value;
use std::io::Write;
use themecast::{
    metrics::Metrics,
    serve::{App, Keys},
};

/// A server over the shared host, with these keys.
async fn server(keys: Keys) -> Server {
    let app = App::new(Metrics::new().unwrap(), keys);
    app.set_ready(single(), None).await;
    listen(app).await
}

/// A server whose users need the key `for-all`.
async fn locked() -> Server {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "for-all").unwrap();
    server(Keys::read(Some(file.path()), None).unwrap()).await
}

fn from_a_page(server: &Server, method: Method, path: &str) -> reqwest::RequestBuilder {
    let request = client().request(method, format!("{}{path}", server.url));
    request.header("origin", "https://page.example")
}

/// The one value of a header.
fn once<'a>(response: &'a Response, name: &str) -> &'a str {
    let values: Vec<_> = response.headers().get_all(name).iter().collect();
    assert_eq!(values.len(), 1, "{name} of {}: {values:?}", response.url());
    values[0].to_str().unwrap()
}

#[test]
fn what_a_browser_asks_first_needs_no_key() {
    block_on(async {
        let server = locked().await;
        for path in [
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/models",
            "/v1/embeddings",
            "/v1/themecast/themes",
        ] {
            let asked = from_a_page(&server, Method::OPTIONS, path)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,x-themecast");
            let allowed = asked.send().await.unwrap();
            assert_eq!(allowed.status(), 200, "{path}");
            assert_eq!(once(&allowed, "access-control-allow-origin"), "*");
            assert_eq!(once(&allowed, "access-control-allow-methods"), "GET,POST");
            let headers = once(&allowed, "access-control-allow-headers");
            assert_eq!(headers, "content-type,authorization,x-themecast");
        }
    });
}

#[test]
fn every_answer_may_be_read_and_says_so_once() {
    block_on(async {
        let server = locked().await;
        for (path, key, status) in [
            ("/v1/models", "for-all", 200),
            ("/v1/models", "guess", 401),
            ("/v1/responses/none", "for-all", 404),
            ("/v1/nowhere", "for-all", 404),
            ("/v1/themecast/themes", "for-all", 404),
        ] {
            let asked = from_a_page(&server, Method::GET, path).bearer_auth(key);
            let answer = asked.send().await.unwrap();
            assert_eq!(answer.status(), status, "{path} with {key}");
            assert_eq!(once(&answer, "access-control-allow-origin"), "*");
            assert!(once(&answer, "vary").contains("origin"));
        }
    });
}

#[test]
fn no_other_page_reads_what_others_are_answered() {
    block_on(async {
        let server = server(Keys::default()).await;
        for path in ["/v1/themecast/live", "/v1/themecast/alarms", "/metrics"] {
            let answer = from_a_page(&server, Method::GET, path).send().await.unwrap();
            assert!(answer.headers().get("access-control-allow-origin").is_none(), "{path}");
        }
    });
}

/// The error that is answered, in OpenAI's shape.
async fn error(response: Response, status: u16) -> Value {
    let url = response.url().clone();
    assert_eq!(response.status().as_u16(), status, "{url}");
    let body: Value = response.json().await.unwrap();
    for key in ["message", "type", "param", "code"] {
        assert!(body["error"].get(key).is_some(), "{url}: {body} has no {key}");
    }
    body["error"].clone()
}

#[test]
fn paths_and_methods_that_no_route_has_are_refused_in_openais_shape() {
    block_on(async {
        let server = server(Keys::default()).await;
        for (method, path, allowed) in [
            (Method::GET, "/v1/chat/completions", "POST"),
            (Method::PUT, "/v1/completions", "POST"),
            (Method::POST, "/v1/themecast/themes", "GET,HEAD"),
            (Method::POST, "/v1/themecast/bundle", "PUT"),
            (Method::DELETE, "/metrics", "GET,HEAD"),
        ] {
            let answer = from_a_page(&server, method, path).send().await.unwrap();
            assert_eq!(once(&answer, "allow"), allowed, "{path}");
            let error = error(answer, 405).await;
            assert_eq!(error["code"], "method_not_supported");
            assert!(error["message"].as_str().unwrap().contains(path), "{error}");
        }
        for method in [Method::GET, Method::POST] {
            let answer = from_a_page(&server, method, "/v1/nowhere").send().await.unwrap();
            let error = error(answer, 404).await;
            assert_eq!(error["message"], "no such route: /v1/nowhere");
        }
    });
}

#[test]
fn what_mistral_rs_says_of_its_own_routes_stays() {
    block_on(async {
        let server = server(Keys::default()).await;
        let missing = server.get("/v1/responses/none").await;
        assert_eq!(missing.status(), 404);
        let missing: Value = missing.json().await.unwrap();
        assert!(missing["message"].as_str().unwrap().contains("'none' not found"), "{missing}");
        let wrong = server.get("/v1/embeddings").await;
        assert_eq!((wrong.status().as_u16(), once(&wrong, "allow")), (405, "POST"));
        let error = error(wrong, 405).await;
        assert_eq!(error["code"], "method_not_supported", "axum says it without a body");
    });
}
