//! Tests against further real parts: the official OpenAI clients, Prometheus and its tools, and
//! Grafana's foundation SDK. A missing part fails.
//!
//! `.ci/parts.sh` installs the parts and says where they are in the environment.

// Whatever a test can't go on without ends it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod prometheus;

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

/// The server, started once for all tests and stopped when they end.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further arguments.
    fn start_with(arguments: &[&str]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_themecast"))
            .args(["serve", "--listen", &address.to_string()])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                eprintln!("server: {line}");
                if line.contains("ready: ") {
                    let _ = ready.send(());
                }
            }
        });
        is_ready.recv_timeout(std::time::Duration::from_secs(300)).expect("the server gets ready");
        Self { child, url: format!("http://{address}/v1") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn part(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run .ci/run, which installs the parts"))
}

fn check(mut client: Command, url: &str) {
    let out = client.env("OPENAI_BASE_URL", url).env("OPENAI_API_KEY", "none").output().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}\n{complained}");
    assert!(said.trim_end().ends_with("all good"), "{said}\n{complained}");
}

#[test]
fn the_official_clients_stream_with_and_without_the_field() {
    let server = Server::start();
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/system");
    let mut python = Command::new(part("THEMECAST_PYTHON"));
    python.arg(format!("{scripts}/openai_client.py"));
    check(python, &server.url);
    let mut javascript = Command::new("node");
    javascript.arg(format!("{scripts}/openai_client.mjs"));
    javascript.env("THEMECAST_NODE_MODULES", part("THEMECAST_NODE_MODULES"));
    check(javascript, &server.url);
}
