//! Every query that rules and dashboards ship, and what each of them may be asked of.

use super::{SHIPPED, files, text};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Families without an event yet are not in an exposition; their names are here.
const FAMILIES: &str = include_str!("../../../src/metrics/families.rs");
/// Queries with one of these have nothing to return in a test's few minutes of good behaviour. Of
/// `offset` only rules make use; panels that compare with the day before fall back to the bundle.
const MAY_BE_EMPTY: [&str; 3] = ["ALERTS", "offset", " unless "];

/// A query of a rule or a panel.
pub(super) struct Query {
    pub(super) whose: String,
    pub(super) expr: String,
    pub(super) range: bool,
    pub(super) needs_data: bool,
}

/// The metrics and recording rules that a query names.
fn names(expr: &str) -> BTreeSet<&str> {
    let outside_quotes = expr.split('"').step_by(2);
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let words = outside_quotes.flat_map(|part| part.split(word));
    words.filter(|word| word.starts_with("themecast_") || word.contains(':')).collect()
}

/// What the server exports, and which of it has been seen.
pub(super) struct Exported(pub(super) String);

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

/// Every query, none of which may name what is neither exported nor recorded.
pub(super) fn queries(rules: &[Value], exported: &Exported) -> Vec<Query> {
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

/// The recorded metrics, and whether all that they are computed from has been seen. Prometheus lists
/// groups by name, so a rule may come before those that it reads: asked until nothing changes.
fn recorded<'a>(rules: &'a [Value], exported: &Exported) -> BTreeMap<&'a str, bool> {
    let mut recorded = BTreeMap::new();
    loop {
        let again = recorded_after(&recorded, rules, exported);
        if again == recorded {
            return recorded;
        }
        recorded = again;
    }
}

fn recorded_after<'a>(
    before: &BTreeMap<&'a str, bool>,
    rules: &'a [Value],
    exported: &Exported,
) -> BTreeMap<&'a str, bool> {
    let mut recorded = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule["type"] == "recording") {
        let (name, expr) = (rule["name"].as_str().unwrap(), rule["query"].as_str().unwrap());
        let known = |name: &&str| exported.seen(name) || before.get(name) == Some(&true);
        let filled_up = expr.contains(" or ");
        let seen = filled_up || names(expr).iter().all(known);
        recorded.insert(name, seen && recorded.get(name) != Some(&false));
    }
    recorded
}
