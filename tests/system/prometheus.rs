//! What `grafana/` ships, against the real Prometheus and a real server under real traffic.

use crate::{Server, part};
use reqwest::{Url, blocking::Client};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/grafana");
/// Families without an event yet are not in an exposition; their names are here.
const FAMILIES: &str = include_str!("../../src/metrics/families.rs");
/// Queries with one of these have nothing to return in a test's few minutes of good behaviour.
const MAY_BE_EMPTY: [&str; 4] = ["ALERTS", "day before", "offset", " unless "];
const PATIENCE: Duration = Duration::from_secs(180);

/// Prometheus on the shipped configuration, only faster; stopped when it goes.
struct Prometheus {
    child: Child,
    url: String,
    client: Client,
    _folder: tempfile::TempDir,
}

/// A query of a rule or a panel.
struct Query {
    whose: String,
    expr: String,
    range: bool,
    needs_data: bool,
}

impl Prometheus {
    fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_faster(&Path::new(SHIPPED).join("prometheus"), folder.path());
        let targets = json!([{ "targets": [target], "labels": { "model": "tested" } }]);
        fs::write(folder.path().join("targets/themecast.yml"), targets.to_string()).unwrap();
        fs::write(folder.path().join("targets/alertmanager.yml"), "[]").unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .current_dir(folder.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .args(["--log.level=warn", &format!("--web.listen-address={address}")])
            .spawn()
            .expect("prometheus is installed: run .ci/run, which installs the parts");
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        Self { child, url: format!("http://{address}"), client, _folder: folder }
    }

    /// The `data` of an answer, or what went wrong.
    fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let url = Url::parse_with_params(&format!("{}/api/v1/{path}", self.url), parameters);
        let answer = self.client.get(url.unwrap()).send().map_err(|error| error.to_string())?;
        let mut answer: Value = answer.json().map_err(|error| error.to_string())?;
        match answer.get("warnings") {
            None if answer["status"] == "success" => Ok(answer["data"].take()),
            _ => Err(answer.to_string()),
        }
    }

    /// How many series a query returns.
    fn series(&self, query: &Query) -> Result<usize, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (start, end) = ((now - 60).to_string(), now.to_string());
        let data = match query.range {
            true => self.get(
                "query_range",
                &[("query", query.expr.as_str()), ("start", &start), ("end", &end), ("step", "2")],
            ),
            false => self.get("query", &[("query", query.expr.as_str())]),
        }?;
        data["result"].as_array().map(Vec::len).ok_or_else(|| data.to_string())
    }

    fn rules(&self) -> Vec<Value> {
        let data = self.get("rules", &[]).unwrap();
        let groups = data["groups"].as_array().unwrap();
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    }

    fn alerts(&self) -> BTreeSet<String> {
        self.alerts_that(|_| true)
    }

    /// The alerts that fire, those that are only pending left out.
    fn firing(&self) -> BTreeSet<String> {
        self.alerts_that(|alert| alert["state"] == "firing")
    }

    fn alerts_that(&self, wanted: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let data = self.get("alerts", &[]).unwrap();
        let alerts = data["alerts"].as_array().unwrap().iter().filter(|alert| wanted(alert));
        alerts.map(|alert| text(&alert["labels"]["alertname"])).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a configuration with every interval shortened to a second.
fn copy_faster(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        let copy = to.join(file.file_name().unwrap());
        if file.is_dir() {
            copy_faster(&file, &copy);
            continue;
        }
        let faster = |line: &str| match line.split_once(": ") {
            Some((key, _)) if key.ends_with("interval") => format!("{key}: 1s\n"),
            _ => format!("{line}\n"),
        };
        fs::write(copy, fs::read_to_string(&file).unwrap().lines().map(faster).collect::<String>())
            .unwrap();
    }
}

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

/// The metrics and recording rules that a query names.
fn names(expr: &str) -> BTreeSet<&str> {
    let outside_quotes = expr.split('"').step_by(2);
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let words = outside_quotes.flat_map(|part| part.split(word));
    words.filter(|word| word.starts_with("themecast_") || word.contains(':')).collect()
}

/// What the server exports, and which of it has been seen.
struct Exported(String);

impl Exported {
    fn seen(&self, name: &str) -> bool {
        let parts = ["_bucket", "_sum", "_count"];
        let histogram = parts.iter().find_map(|part| name.strip_suffix(part));
        self.0.contains(&format!("# TYPE {name} "))
            || histogram.is_some_and(|name| self.0.contains(&format!("# TYPE {name} histogram")))
    }

    fn exports(&self, name: &str) -> bool {
        let registered = format!("\"{}\"", name.trim_start_matches("themecast_"));
        self.seen(name) || FAMILIES.contains(&registered)
    }
}

/// The queries of all recording and alert rules.
fn of_rules(rules: &[Value]) -> Vec<Query> {
    let query = |rule: &Value| {
        let (whose, expr) = (text(&rule["name"]), text(&rule["query"]));
        let needs_data = rule["type"] == "recording";
        Query { whose, expr, range: false, needs_data }
    };
    rules.iter().map(query).collect()
}

/// The queries of all panels, with every variable at "All", and of the marks on them.
fn of_dashboards() -> Vec<Query> {
    let files = files(&Path::new(SHIPPED).join("dashboards"));
    assert_eq!(files.len(), 4, "{files:?}");
    files.iter().flat_map(|file| of_dashboard(file)).collect()
}

fn of_dashboard(file: &Path) -> Vec<Query> {
    let board: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let of_panel = |panel: &Value| {
        let whose = format!("{}: {}", text(&board["title"]), text(&panel["title"]));
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        let query = move |target: &Value| Query {
            whose: whose.clone(),
            expr: filled_in(&text(&target["expr"])),
            range: target["range"] == true,
            needs_data: true,
        };
        targets.iter().map(query).collect::<Vec<_>>()
    };
    let mark = |mark: &Value| Query {
        whose: format!("{}: marks", text(&board["title"])),
        expr: filled_in(&text(&mark["expr"])),
        range: true,
        needs_data: false,
    };
    let marks = board["annotations"]["list"].as_array().unwrap().iter().map(mark);
    panels.iter().flat_map(of_panel).chain(marks).collect()
}

/// A panel's query as Grafana sends it.
fn filled_in(expr: &str) -> String {
    let mut filled = expr.replace("$__rate_interval", "30s").replace("$__range", "1h");
    for variable in ["$model", "$instance", "$theme", "$ahead"] {
        filled = filled.replace(variable, ".*");
    }
    assert!(!filled.contains('$'), "a variable without a value in {filled}");
    filled
}

/// The metrics from which the dashboards' variables take their values.
fn of_variables() -> Vec<String> {
    let files = files(&Path::new(SHIPPED).join("dashboards"));
    let boards = files.iter().map(|file| fs::read_to_string(file).unwrap());
    let of_board = |board: String| {
        let board: Value = serde_json::from_str(&board).unwrap();
        let variables = board["templating"]["list"].as_array().unwrap().clone();
        variables
            .into_iter()
            .filter_map(|variable| Some(variable["query"]["query"].as_str()?.to_owned()))
    };
    boards.flat_map(of_board).collect()
}

/// One short answer, which is forecast as every answer is.
fn ask(client: &Client, url: &str, question: &str) {
    let body = json!({
        "messages": [{ "role": "user", "content": question }],
        "max_tokens": 60,
        "stream": true,
    });
    let answer = client.post(format!("{url}/chat/completions")).json(&body).send().unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    assert!(answer.text().unwrap().contains("[DONE]"));
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

/// Every query, none of which may name what is neither exported nor recorded.
fn queries(rules: &[Value], exported: &Exported) -> Vec<Query> {
    let mut queries = of_rules(rules);
    queries.extend(of_dashboards());
    assert!(rules.len() > 30 && queries.len() > 90, "{} {}", rules.len(), queries.len());
    let seen = recorded(rules, exported);
    let variables = of_variables();
    let exprs = queries.iter().map(|query| &query.expr).chain(&variables);
    let unknown: BTreeSet<_> = exprs
        .flat_map(|expr| names(expr))
        .filter(|name| !exported.exports(name) && !seen.contains_key(name))
        .collect();
    assert!(unknown.is_empty(), "neither exported nor recorded: {unknown:?}");
    let may_be_empty = |expr: &str| {
        let missing = |name: &&str| !exported.seen(name) && seen.get(name) != Some(&true);
        MAY_BE_EMPTY.iter().any(|part| expr.contains(part)) || names(expr).iter().any(missing)
    };
    let empty: Vec<_> = queries.iter().map(|query| may_be_empty(&query.expr)).collect();
    for (query, empty) in queries.iter_mut().zip(empty) {
        query.needs_data &= !empty;
    }
    queries
}

/// The recorded metrics, and whether all that they are computed from has been seen.
fn recorded<'a>(rules: &'a [Value], exported: &Exported) -> BTreeMap<&'a str, bool> {
    let mut recorded = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule["type"] == "recording") {
        let (name, expr) = (rule["name"].as_str().unwrap(), rule["query"].as_str().unwrap());
        let known = |name: &&str| exported.seen(name) || recorded.get(name) == Some(&true);
        let filled_up = expr.contains(" or ");
        let seen = filled_up || names(expr).iter().all(known);
        recorded.insert(name, seen && recorded.get(name) != Some(&false));
    }
    recorded
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
    let server = Server::start();
    let address = server.url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let prometheus = Prometheus::start(&address);
    let client = &prometheus.client;
    let traffic = || {
        for question in ["How do I bake bread?", "Tell me about the history of Rome."] {
            ask(client, &server.url, question);
        }
    };
    until("Prometheus reads the server", || {
        let up = prometheus.get("query", &[("query", "up{job=\"themecast\"} == 1")]);
        up.is_ok_and(|up| up["result"][0].is_object())
    });
    traffic();

    let metrics = client.get(format!("http://{address}/metrics")).send().unwrap().text().unwrap();
    runs("promtool", &["check", "metrics"], &metrics);
    let rules = prometheus.rules();
    let queries = queries(&rules, &Exported(metrics));
    all_answered(&prometheus, &queries, traffic);
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

    drop(server);
    until("the alert for a server that is gone", || prometheus.alerts().contains("ThemecastDown"));
}
