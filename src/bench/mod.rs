//! Decode speed with the plugin off and on, interleaved, and the cost of the plugin itself.
//!
//! Machines are noisy, so speed is judged as the ratio of runs of the same requests side by side:
//! each round runs both, in alternating order, and the interval is that of the rounds' ratios.

mod collector;
mod report;
mod scrape;
mod timed;

pub use collector::Collector;
pub use report::{Quantiles, Report, Speed};

use crate::{
    host::{Call, Event, Host, Route, Tap},
    session::{Annotations, Runner},
};
use anyhow::{Result, bail, ensure};
use futures::{StreamExt, future::try_join_all};
use scrape::Scrapes;
use std::{sync::Arc, time::Instant};
use themecast_plugin_api::{EndReason, RequestInfo, Site};
use themecast_telemetry::{Finish, Operation, RequestSpan};
use timed::Timed;
use tracing::Span;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Config {
    /// How many requests run at once.
    pub concurrency: Vec<usize>,
    /// How many tokens each of them writes.
    pub tokens: usize,
    /// How many pairs of runs.
    pub rounds: usize,
    /// Sites that are tapped besides the plugin's own.
    pub extra_sites: Vec<Site>,
    /// Whether the metrics are read while answers are written, far more often than Prometheus
    /// would.
    pub scraped: bool,
}

const PROMPTS: [&str; 4] = [
    "Write a long story about a lighthouse keeper.",
    "Explain how bread is made, step by step.",
    "Write a travel guide to a small island.",
    "Describe how a city changes over a hundred years.",
];

/// Measures `runner`'s plugin on `host`.
///
/// # Errors
/// When a request fails.
pub async fn run(
    host: &Arc<dyn Host>,
    runner: &Runner,
    config: &Config,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report> {
    ensure!(config.rounds >= 3, "an interval needs at least 3 rounds, not {}", config.rounds);
    let timed = Timed::new(runner, &config.extra_sites);
    let runner = Runner { interest: timed.interest(), plugin: timed.clone(), ..runner.clone() };
    let on = On { runner, timed: timed.clone() };
    let scrapes = config.scraped.then(|| Scrapes::start(on.runner.metrics.clone(), host.clone()));
    let total = config.concurrency.len() * (config.rounds + 1);
    let (mut done, mut speeds) = (0, Vec::new());
    for &concurrency in &config.concurrency {
        let mut rates = Vec::new();
        for round in 0..=config.rounds {
            let pair = pair(host, &on, concurrency, config.tokens, round).await?;
            if round > 0 {
                rates.push(pair); // the first round only warms up
            } else {
                timed.forget();
            }
            done += 1;
            progress(done, total);
        }
        speeds.push(Speed::of(concurrency, &rates, &timed.costs()));
    }
    let hidden = host.model().hidden_size;
    let took = scrapes.map(|scrapes| scrapes.took()).unwrap_or_default();
    let sites = on.runner.interest.sites.len();
    Ok(Report::new(speeds, sites, hidden).scraped(took))
}

/// What the runs with the plugin need.
struct On {
    runner: Runner,
    timed: Arc<Timed>,
}

impl On {
    /// Opens the session of request `number`, with its tap and its steps measured.
    /// The span does nothing where no traces are exported.
    fn open(&self, number: usize) -> Result<Opened> {
        let id = number.to_string();
        let prompt = PROMPTS[number % PROMPTS.len()].to_owned();
        let info = RequestInfo { id: id.clone(), prompt, ..RequestInfo::default() };
        let request =
            RequestSpan { stream: true, ..RequestSpan::new(Operation::Chat, "bench", &id) };
        let span = themecast_telemetry::request_span(request);
        let (tap, annotations) = span.in_scope(|| self.runner.open(&info))?;
        Ok(Opened { tap: self.timed.measured(id, tap), annotations, span })
    }
}

/// The session of one request, and its trace.
struct Opened {
    tap: Tap,
    annotations: Annotations,
    span: Span,
}

/// Tokens a second without and with the plugin, in an order that alternates.
async fn pair(
    host: &Arc<dyn Host>,
    on: &On,
    concurrency: usize,
    tokens: usize,
    round: usize,
) -> Result<(f64, f64)> {
    if round.is_multiple_of(2) {
        let off = rate(host, None, concurrency, tokens).await?;
        return Ok((off, rate(host, Some(on), concurrency, tokens).await?));
    }
    let on = rate(host, Some(on), concurrency, tokens).await?;
    Ok((rate(host, None, concurrency, tokens).await?, on))
}

async fn rate(
    host: &Arc<dyn Host>,
    on: Option<&On>,
    concurrency: usize,
    tokens: usize,
) -> Result<f64> {
    let begun = Instant::now();
    let answers = (0..concurrency).map(|i| answer(host, on, i, tokens));
    let written: usize = try_join_all(answers).await?.into_iter().sum();
    Ok(written as f64 / begun.elapsed().as_secs_f64())
}

/// Runs one streamed request, an annotation on every token, as the server would.
async fn answer(
    host: &Arc<dyn Host>,
    on: Option<&On>,
    number: usize,
    tokens: usize,
) -> Result<usize> {
    let (tap, mut session) = match on.map(|on| on.open(number)).transpose()? {
        Some(Opened { tap, annotations, span }) => (Some(tap), Some((annotations, span))),
        None => (None, None),
    };
    let body = serde_json::json!({
        "messages": [{"role": "user", "content": PROMPTS[number % PROMPTS.len()]}],
        "max_tokens": tokens,
        "temperature": 0.0,
        "stream": true,
    });
    let call = Call { tap, ..Call::new(Route::Chat, body) };
    let mut events = host.generate(call).await?;
    let mut written = 0;
    while let Some(event) = events.next().await {
        match event {
            Event::Chunk { finish, .. } => {
                written += 1;
                annotated(session.as_mut().map(|one| &mut one.0), finish.is_some()).await?;
            }
            Event::Failed(error) => bail!("{error}"),
            Event::Done { .. } => {}
        }
    }
    if let Some((_, span)) = session {
        let output_tokens = Some(written as u64);
        let (status, finish_reason) = (200, "length");
        let finish = Finish { input_tokens: None, output_tokens, finish_reason, status };
        themecast_telemetry::finish(&span, finish);
    }
    Ok(written)
}

async fn annotated(annotations: Option<&mut Annotations>, last: bool) -> Result<()> {
    let Some(annotations) = annotations else { return Ok(()) };
    if let Err(error) = annotations.of_chunk().await {
        bail!("an annotation is missing: {error}");
    }
    if last && let Err(error) = annotations.summary(EndReason::Stop).await {
        bail!("the summary is missing: {error}");
    }
    Ok(())
}
