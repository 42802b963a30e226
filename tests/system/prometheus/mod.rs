//! What `grafana/` ships, against the real Prometheus and a real server under real traffic.

mod process;
mod queries;

use crate::{Server, part};
use process::Prometheus;
use queries::{Exported, Query, queries};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/grafana");
const PATIENCE: Duration = Duration::from_secs(180);

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

/// Runs a command in the shipped folder; it must succeed.
fn runs(program: &str, arguments: &[&str], input: &str) {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(SHIPPED)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; .ci/run installs the parts"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{program} {arguments:?}\n{said}\n{complained}");
}

/// `promtool` on every file of a folder.
fn promtool(arguments: &[&str], folder: &str) {
    let files = files(&Path::new(SHIPPED).join(folder));
    let files = files.iter().map(|file| file.to_str().unwrap());
    runs("promtool", &arguments.iter().copied().chain(files).collect::<Vec<_>>(), "");
}

/// A few answers to the shipped traffic.
fn send_traffic(address: &str) {
    let url = format!("http://{address}");
    let length = ["--requests", "3", "--max-tokens", "80", "--concurrency", "1"];
    let arguments: Vec<&str> = ["traffic.py", "--url", &url].into_iter().chain(length).collect();
    runs(&part("THEMECAST_PYTHON"), &arguments, "");
}

/// The recent alarms lead to the traces of the answers that raised them.
fn alarms_lead_to_traces(client: &Client, address: &str) {
    let get = |path: &str| -> Value {
        client.get(format!("http://{address}{path}")).send().unwrap().json().unwrap()
    };
    let listed = get("/v1/themecast/alarms?detector=martingale");
    let alarm = &listed["alarms"][0];
    let trace = get(&text(&alarm["trace"]));
    assert_eq!(trace["id"], alarm["completion_id"]);
    let raised = trace["summary"]["summary"]["alarms"].to_string();
    assert!(raised.contains("martingale"), "{raised} of {listed}");
}

/// The shipped answers that turn to something else half-way, each forced by a grammar: the model
/// reads what it is made to write, so what is tapped is real.
fn plant(client: &Client, url: &str) {
    let planted = fs::read_to_string(Path::new(SHIPPED).join("planted.jsonl")).unwrap();
    for line in planted.lines() {
        let planted: Value = serde_json::from_str(line).unwrap();
        let (prompt, answer) = (text(&planted["prompt"]), text(&planted["answer"]));
        let escape = |c: char| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.into() };
        let pattern: String = format!("{answer}\n§§").chars().map(escape).collect();
        let body = json!({
            "messages": [{ "role": "user", "content": prompt }],
            "grammar": { "type": "regex", "value": pattern },
            "stop": ["§§"],
            "max_tokens": 400,
            "temperature": 0,
        });
        let sent = client.post(format!("{url}/chat/completions")).json(&body).send().unwrap();
        let sent: Value = sent.json().unwrap();
        let written = text(&sent["choices"][0]["message"]["content"]);
        assert_eq!(written.trim(), answer, "{sent}");
    }
}

/// Asks until `done`.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        sleep(Duration::from_secs(1));
    }
}

/// Asks every query until those that must return data do, under traffic.
fn all_answered(prometheus: &Prometheus, queries: &[Query], traffic: impl Fn()) {
    let begun = Instant::now();
    loop {
        let empty: Vec<_> = queries
            .iter()
            .filter(|query| {
                let series = prometheus.series(query);
                let series = series.unwrap_or_else(|error| panic!("{}: {error}", query.whose));
                series == 0 && query.needs_data
            })
            .map(|query| format!("{}: {}", query.whose, query.expr))
            .collect();
        if empty.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "no data:\n{}", empty.join("\n"));
        traffic();
    }
}

#[test]
fn the_dashboards_are_those_of_their_source() {
    runs(&part("THEMECAST_PYTHON"), &["-m", "source", "--check"], "");
}

#[test]
fn promtool_and_amtool_accept_what_is_shipped() {
    runs("promtool", &["check", "config", "prometheus/prometheus.yml"], "");
    promtool(&["check", "rules"], "prometheus/rules");
    promtool(&["test", "rules"], "prometheus/tests");
    runs("amtool", &["check-config", "alertmanager/alertmanager.yml"], "");
}

#[test]
fn prometheus_answers_every_query_of_rules_and_dashboards() {
    let server = Server::start_with(&["--config", &format!("{SHIPPED}/themecast.toml")]);
    let address = server.url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let prometheus = Prometheus::start(&address);
    let client = &prometheus.client;
    let traffic = || send_traffic(&address);
    until("Prometheus reads the server", || {
        let up = prometheus.get("query", &[("query", "up{job=\"themecast\"} == 1")]);
        up.is_ok_and(|up| up["result"][0].is_object())
    });
    traffic();

    let metrics =
        || client.get(format!("http://{address}/metrics")).send().unwrap().text().unwrap();
    runs("promtool", &["check", "metrics"], &metrics());
    let rules = prometheus.rules();
    all_answered(&prometheus, &queries(&rules, &Exported(metrics())), traffic);
    for rule in prometheus.rules() {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    assert!(prometheus.alerts().is_empty(), "{:?}", prometheus.alerts());

    let planted = "ThemecastConversationsLeaveTheirPath";
    // As often as it takes to make a fifth of the traffic.
    for _ in 0..4 {
        plant(client, &server.url);
        if prometheus.alerts().contains(planted) {
            break;
        }
    }
    until("the alert for planted divergences", || prometheus.firing().contains(planted));
    alarms_lead_to_traces(client, &address);
    // Now alarms and audits have happened too.
    all_answered(&prometheus, &queries(&rules, &Exported(metrics())), traffic);

    drop(server);
    until("the alert for a server that is gone", || prometheus.alerts().contains("ThemecastDown"));
}
