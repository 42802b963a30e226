//! Traces of the program itself, sent to a real receiver of OTLP.

use crate::{
    server::client,
    world::{RUNTIME, ask, block_on, model},
};
use axum::{Router, body::Bytes, extract::State, routing::post};
use parking_lot::Mutex;
use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

/// The program, stopped when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A receiver's address and the bytes of everything it was sent.
async fn receiver() -> (String, Arc<Mutex<Vec<u8>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let take = async |State(sent): State<Arc<Mutex<Vec<u8>>>>, body: Bytes| {
        sent.lock().extend_from_slice(&body);
    };
    let app = Router::new()
        .route("/v1/traces", post(take))
        .route("/v1/logs", post(take))
        .with_state(sent.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    RUNTIME.spawn(async { axum::serve(listener, app).await });
    (url, sent)
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn an_answers_spans_and_alarms_reach_a_receiver_of_otlp_as_parts_of_its_clients_trace() {
    block_on(async {
        let (endpoint, sent) = receiver().await;
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("themecast.toml");
        let text = format!(
            "[telemetry]\nendpoint = '{endpoint}'\n[alarms.policy]\nwatch = 'annotate'\n\
             [[watch]]\nname = 'end'\nthemes = ['closing', 'opening']\nraise = 0.01\n"
        );
        std::fs::write(&config, text).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_themecast"))
            .args(["serve", "--listen", &address.to_string()])
            .args(["--model", model().to_str().unwrap(), "--config", config.to_str().unwrap()])
            .env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .env("OTEL_BLRP_SCHEDULE_DELAY", "100")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _running = Running(child);
        let url = format!("http://{address}");
        let ready = async || client().get(format!("{url}/health/ready")).send().await;
        for _ in 0..1200 {
            if ready().await.is_ok_and(|answer| answer.status() == 200) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let body = ask("Write a letter of thanks to a teacher.", 80);
        let request = client().post(format!("{url}/v1/chat/completions")).json(&body);
        let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
        assert_eq!(request.send().await.unwrap().status(), 200);
        let bytes: Vec<u8> =
            (0..16).map(|at| u8::from_str_radix(&trace[2 * at..2 * at + 2], 16).unwrap()).collect();
        let wanted: [&[u8]; 7] = [
            &bytes,
            b"chat SmolLM2",
            b"prefill",
            b"segment",
            b"forecast",
            b"gen_ai.evaluation.result",
            b"gen_ai.usage.output_tokens",
        ];
        for _ in 0..200 {
            if wanted.iter().all(|part| has(&sent.lock(), part)) {
                assert!(!has(&sent.lock(), b"teacher"), "no text of a message leaves the process");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let sent = sent.lock();
        panic!("not all of it came: {}", String::from_utf8_lossy(&sent));
    });
}
