//! What the tests share: one runtime, the default model, hosts, and a sink that records.

use futures::StreamExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};
use themecast::host::{
    Call, Event, Host, RawStep, Route, StepSink, Tap,
    mistral::{self, MistralHost, ModelSource, Options},
};
use themecast_plugin_api::{Interest, Positions, Site};
use tokio::runtime::Runtime;

/// One runtime for all tests: the engines outlive each of them.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

/// The default model, fetched on first use.
pub(crate) fn model() -> PathBuf {
    static MODEL: OnceLock<PathBuf> = OnceLock::new();
    let fetch = || themecast_assets::default_model(&themecast_assets::Lines::default()).unwrap();
    MODEL.get_or_init(fetch).clone()
}

/// Held while an engine is loaded, and while the process's memory is watched.
pub(crate) static MEMORY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

pub(crate) async fn load(options: Options) -> Arc<MistralHost> {
    let _alone = MEMORY.lock().await;
    mistral::load(&ModelSource::Gguf(model()), &options).await.unwrap()
}

fn shared(cell: &'static OnceLock<Arc<MistralHost>>, options: Options) -> Arc<MistralHost> {
    // A thread of its own, because the caller may be inside of the runtime.
    let load = || std::thread::spawn(|| block_on(load(options))).join().unwrap();
    cell.get_or_init(load).clone()
}

/// One engine, one sequence at a time: what a CPU serves with.
pub(crate) fn single() -> Arc<MistralHost> {
    static HOST: OnceLock<Arc<MistralHost>> = OnceLock::new();
    shared(&HOST, Options { self_check: false, prefix_cache: Some(0), ..Options::default() })
}

/// One engine that batches up to eight sequences.
pub(crate) fn batching() -> Arc<MistralHost> {
    static HOST: OnceLock<Arc<MistralHost>> = OnceLock::new();
    let options = Options {
        sequences: Some(8),
        self_check: false,
        prefix_cache: Some(0),
        ..Options::default()
    };
    shared(&HOST, options)
}

/// Two engines of one sequence each.
pub(crate) fn double() -> Arc<MistralHost> {
    static HOST: OnceLock<Arc<MistralHost>> = OnceLock::new();
    shared(&HOST, Options { engines: 2, prefix_cache: Some(0), ..Options::default() })
}

/// Records every step.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Result<RawStep, String>>>);

impl StepSink for Recorder {
    fn step(&self, step: Result<RawStep, String>, _took: Duration) {
        self.0.lock().push(step);
    }
}

impl Recorder {
    pub(crate) fn steps(&self) -> Vec<RawStep> {
        self.0.lock().iter().map(|step| step.clone().unwrap()).collect()
    }
}

pub(crate) fn tap(sites: &[Site], positions: Positions) -> (Tap, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let interest = Interest { sites: sites.to_vec(), positions };
    (Tap { interest, sink: recorder.clone() }, recorder)
}

/// A greedy chat request.
pub(crate) fn ask(prompt: &str, tokens: usize) -> Value {
    json!({
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": tokens,
        "temperature": 0.0,
        "top_k": 1,
    })
}

/// Runs a request to its end; its text.
pub(crate) async fn text(host: &dyn Host, body: Value, tap: Option<Tap>) -> String {
    let call = Call { tap, ..Call::new(Route::Chat, body) };
    let mut events = host.generate(call).await.unwrap();
    let mut text = String::new();
    while let Some(event) = events.next().await {
        match event {
            Event::Chunk { text: piece, .. } => text.push_str(&piece),
            Event::Done { json, .. } => {
                let body: Value = serde_json::from_str(&json).unwrap();
                return body["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
            }
            Event::Failed(error) => panic!("{error}"),
        }
    }
    text
}

/// A greedy answer of `tokens` tokens and its steps at `sites`.
pub(crate) async fn tapped(host: &dyn Host, body: Value, sites: &[Site]) -> (String, Vec<RawStep>) {
    let (tap, recorder) = tap(sites, Positions::Last);
    let text = text(host, body, Some(tap)).await;
    (text, recorder.steps())
}

/// The largest difference relative to the largest value.
pub(crate) fn relative(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let scale = a.iter().fold(0f32, |m, x| m.max(x.abs())).max(1e-12);
    a.iter().zip(b).fold(0f32, |m, (x, y)| m.max((x - y).abs())) / scale
}

/// Kilobytes of memory this process holds.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
