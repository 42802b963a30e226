//! The real Prometheus on the shipped configuration, and what it is asked.

use super::{PATIENCE, SHIPPED, files, queries::Query, text};
use reqwest::{Url, blocking::Client};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    time::{SystemTime, UNIX_EPOCH},
};

/// Prometheus on the shipped configuration, only faster; stopped when it goes.
pub(super) struct Prometheus {
    child: Child,
    url: String,
    pub(super) client: Client,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    pub(super) fn start(target: &str) -> Self {
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
    pub(super) fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let url = Url::parse_with_params(&format!("{}/api/v1/{path}", self.url), parameters);
        let answer = self.client.get(url.unwrap()).send().map_err(|error| error.to_string())?;
        let mut answer: Value = answer.json().map_err(|error| error.to_string())?;
        match answer.get("warnings") {
            None if answer["status"] == "success" => Ok(answer["data"].take()),
            _ => Err(answer.to_string()),
        }
    }

    /// How many series a query returns.
    pub(super) fn series(&self, query: &Query) -> Result<usize, String> {
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

    pub(super) fn rules(&self) -> Vec<Value> {
        let data = self.get("rules", &[]).unwrap();
        let groups = data["groups"].as_array().unwrap();
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    }

    pub(super) fn alerts(&self) -> BTreeSet<String> {
        self.alerts_that(|_| true)
    }

    /// The alerts that fire, those that are only pending left out.
    pub(super) fn firing(&self) -> BTreeSet<String> {
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
