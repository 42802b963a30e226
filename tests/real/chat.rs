//! `themecast chat`, as it is used in a pipe.

use crate::{
    server::{Server, listen},
    world::{ask, block_on, single},
};
use std::{
    io::Write,
    net::TcpListener,
    process::{Command, Output, Stdio},
};
use themecast::{
    forecast::{attach, shipped},
    metrics::Metrics,
    serve::{App, Keys},
};
use themecast_chat::{Layout, Settings, talk};

const QUESTION: &str = "How do I bake bread?";

/// A server that asks for `keys`, with the shipped bundle or without forecasts.
fn server(keys: Keys, forecasts: bool) -> Server {
    block_on(async {
        let app = App::new(Metrics::new().unwrap(), keys);
        let host = single();
        let attached = || attach(shipped::bundle().unwrap(), &*host, &app.setting).unwrap();
        let forecast = forecasts.then(attached);
        app.set_ready(host, forecast).await;
        listen(app).await
    })
}

/// Asks `questions`, a line each, greedily.
fn chat(url: &str, questions: &str, arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_themecast"))
        .args(["chat", "--url", url, "--temperature", "0", "--max-tokens", "60"])
        .args(arguments)
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("THEMECAST_API_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(questions.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// What was drawn: the answers' words, and the margins.
fn columns(drawn: &str) -> (Vec<&str>, Vec<&str>) {
    let parts: Vec<(&str, &str)> =
        drawn.lines().filter_map(|line| line.split_once(" │ ")).collect();
    let words = parts.iter().flat_map(|(answer, _)| answer.split_whitespace()).collect();
    (words, parts.iter().map(|(_, margin)| *margin).collect())
}

#[test]
fn the_answer_stands_beside_its_forecast() {
    let server = server(Keys::default(), true);
    let out = chat(&server.url, &format!("{QUESTION}\n\n/new\n{QUESTION}\n"), &[]);
    let drawn = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{drawn}{}", String::from_utf8_lossy(&out.stderr));
    assert!(!drawn.contains('\x1b'), "no colours in a pipe: {drawn:?}");
    let halves: Vec<&str> = drawn.split_inclusive("its longest\n\n").collect();
    assert_eq!(halves.len(), 2, "{drawn}");
    assert_eq!(halves[0], halves[1], "what was said before is forgotten");
    assert!(halves[0].contains("60 tokens: "), "{drawn}");

    let (words, margins) = columns(halves[0]);
    let plain: serde_json::Value =
        block_on(async { server.post(&ask(QUESTION, 60)).await.json().await.unwrap() });
    let plain = plain["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(words, plain.split_whitespace().collect::<Vec<_>>());
    assert!(margins[0].starts_with("opening ") && margins[0].contains("% ▸ "), "{drawn}");
    assert!(margins.iter().all(|margin| margin.chars().any(|c| ('▁'..='█').contains(&c))));
}

#[test]
fn a_conversation_is_remembered_and_phrases_are_watched() {
    let server = server(Keys::default(), true);
    let out = chat(&server.url, "Hello\nWhat next?\n", &["--watch", "refund request"]);
    let drawn = String::from_utf8(out.stdout).unwrap();
    assert!(drawn.contains("refund request ") && drawn.contains("% · "), "{drawn}");
    let fresh = chat(&server.url, "What next?\n", &["--watch", "refund request"]);
    let fresh = String::from_utf8(fresh.stdout).unwrap();
    assert!(!fresh.is_empty() && !drawn.ends_with(&fresh), "the first question changes the second");
}

#[test]
fn what_fails_is_said_in_a_line() {
    let mut keys = tempfile::NamedTempFile::new().unwrap();
    writeln!(keys, "right").unwrap();
    let server = server(Keys::read(Some(keys.path()), None).unwrap(), true);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, key, code, says) in [
        (server.url.clone(), "wrong", 1, "refused with 401"),
        (server.url, "right", 0, ""),
        (format!("http://{nobody}"), "right", 1, "themecast serve"),
        ("127.0.0.1:8080".into(), "right", 2, "is no address"),
    ] {
        let out = chat(&url, "Hello\n", &["--api-key", key]);
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(says) && !stderr.contains("panicked"), "{stderr}");
        assert_eq!(stderr.lines().count(), usize::from(code != 0), "{stderr}");
    }
}

#[test]
fn a_server_without_forecasts_is_talked_to_all_the_same() {
    let server = server(Keys::default(), false);
    let out = chat(&server.url, "Hello\nHello again\n", &[]);
    let drawn = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success() && drawn.lines().count() > 3, "{drawn}");
    assert_eq!(drawn.matches("this server sends no forecasts").count(), 1, "{drawn}");
}

#[test]
fn where_a_person_asks_a_refused_question_is_told_and_forgotten() {
    let server = server(Keys::default(), true);
    let drawn = |settings: Settings, questions: &str| {
        let (mut out, layout) = (Vec::new(), || Layout::new(100, true));
        let asked = themecast_chat::Server::new(&server.url, None).unwrap();
        block_on(talk(&asked, &settings, questions.as_bytes(), &mut out, layout)).unwrap();
        String::from_utf8(out).unwrap()
    };
    let settings = Settings { model: "default".into(), max_tokens: Some(8), ..Settings::default() };
    let long = Settings { watch: vec!["a".repeat(201)], ..settings.clone() };
    let refused = drawn(long, "Hello\nHello\n/quit\nHello\n");
    assert_eq!(refused.matches("error: the server refused with 400").count(), 2, "{refused}");
    let answered = drawn(settings, "Hello\n");
    assert!(answered.contains("\r\x1b[K") && answered.contains(" ▸ "), "{answered:?}");
    assert!(!answered.contains("error"), "{answered}");
}
