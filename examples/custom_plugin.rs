//! A whole activation plugin: the residual's norm, how far it has turned since the last token, and
//! at the end the farthest that it turned.
//!
//! Run it with `cargo run --release --example custom_plugin -- "Why is the sky blue?"`. It writes
//! the answer token by token with the plugin's annotation beside it. With `--serve` instead of a
//! question it sends the same annotations in the streams of a server on 127.0.0.1:8080.

use futures::StreamExt;
use std::{net::SocketAddr, sync::Arc};
use themecast::{
    forecast::runner,
    host::{Call, Event, Host, Route, mistral},
    metrics::Metrics,
    serve::{self, App, Keys},
    session::Runner,
};
use themecast_plugin_api::{
    Annotation, End, Interest, ModelInfo, Plugin, PluginError, RequestInfo, Session, Site, Step,
};

/// Every so many tokens an annotation is a milestone: sent to whoever asked for `"every": "segment"`.
const MILESTONE: usize = 16;

struct Drift;

#[derive(Default)]
struct DriftSession {
    before: Vec<f32>,
    farthest: f32,
}

impl Plugin for Drift {
    fn name(&self) -> &str {
        "drift"
    }

    fn interest(&self, model: &ModelInfo) -> Result<Interest, PluginError> {
        Ok(Interest::last(vec![Site::LayerIn(model.layers * 4 / 5)]))
    }

    fn open(&self, _request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
        Ok(Box::<DriftSession>::default())
    }
}

impl Session for DriftSession {
    fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
        let now = step.residuals.last(0);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let norm = dot(now, now).sqrt();
        let cosine = match self.before.is_empty() {
            true => 1.0,
            false => dot(now, &self.before) / (norm * dot(&self.before, &self.before).sqrt()),
        };
        self.before = now.to_vec();
        let drift = 1.0 - cosine;
        self.farthest = self.farthest.max(drift);
        let said = Annotation::new([("norm", norm.into()), ("drift", drift.into())]);
        Ok(Some(said.milestone(step.index.is_multiple_of(MILESTONE))))
    }

    fn end(&mut self, _end: &End) -> Result<Option<Annotation>, PluginError> {
        Ok(Some(Annotation::new([("farthest", self.farthest.into())])))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let prompt = std::env::args().nth(1).unwrap_or_else(|| "Why is the sky blue?".to_owned());
    let model = tokio::task::spawn_blocking(|| {
        themecast_assets::default_model(&themecast_assets::Lines::default())
    });
    let source = mistral::ModelSource::Gguf(model.await??);
    let host: Arc<dyn Host> = mistral::load(&source, &mistral::Options::default()).await?;
    let metrics = Metrics::new()?;
    let runner = runner(Arc::new(Drift), &*host, &metrics)?;
    match prompt.as_str() {
        "--serve" => listen(host, runner, metrics).await,
        _ => write(&*host, &runner, &prompt).await,
    }
}

/// Writes one answer, each chunk with its annotation.
async fn write(host: &dyn Host, runner: &Runner, prompt: &str) -> anyhow::Result<()> {
    let (tap, mut annotations) = runner.open(&RequestInfo::default())?;
    let body = serde_json::json!({
        "messages": [{"role": "user", "content": prompt}], "max_tokens": 48, "stream": true,
    });
    let call = Call { tap: Some(tap), ..Call::new(Route::Chat, body) };
    let mut events = host.generate(call).await?;
    while let Some(event) = events.next().await {
        let text = match event {
            Event::Chunk { text, .. } => text,
            Event::Failed(error) => anyhow::bail!("{error}"),
            Event::Done { .. } => continue,
        };
        let said = annotations.of_chunk().await.map_err(anyhow::Error::msg)?.unwrap_or_default();
        println!("{text:>12?}  {}", serde_json::to_string(&said.value)?);
    }
    Ok(())
}

/// Serves OpenAI's API with the plugin's annotations, until Ctrl-C.
async fn listen(host: Arc<dyn Host>, runner: Runner, metrics: Arc<Metrics>) -> anyhow::Result<()> {
    let app = App::new(metrics, Keys::default());
    app.set_ready(host, Some(runner.into())).await;
    let listener = serve::bind(SocketAddr::from(([127, 0, 0, 1], 8080))).await?;
    println!("ready on http://127.0.0.1:8080");
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    Ok(serve::serve(listener, app, stop).await?)
}
