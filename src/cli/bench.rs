//! `themecast bench`: decode speed with the plugin off and on.

use super::{logging, model, number, output, progress::Progress};
use crate::{
    bench::{self, Collector},
    forecast::{self, Setting, shipped},
    host::Host,
    metrics::Metrics,
};
use anyhow::{Result, ensure};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use themecast_alarms::{Desk, Policies, Policy};
use themecast_forecast::{bundle::Theme, watchlist::Watched};
use themecast_plugin_api::Site;
use themecast_telemetry::Exporter;

#[derive(Args)]
pub(super) struct Bench {
    /// A .gguf file, a folder of safetensors, a hub name or a name that `fetch --named`
    /// knows; the default model where not given
    #[arg(long)]
    model: Option<String>,
    /// The bundle's folder; the shipped one where not given
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// Measure the bundle's linear heads alone
    #[arg(long)]
    linear: bool,
    /// With everything that can be switched on beside the forecast: a watch, policies that are
    /// counted, a log of alarms, audits of one answer in fifty, traces of every request, and the
    /// metrics read all the while
    #[arg(long)]
    everything: bool,
    /// How many requests run at once, such as 1,4
    #[arg(
        long,
        default_value = "1",
        value_delimiter = ',',
        value_parser = number::at_least::<usize>(1)
    )]
    concurrency: Vec<usize>,
    /// How many tokens each request writes
    #[arg(long, default_value_t = 128, value_parser = number::at_least::<usize>(1))]
    tokens: usize,
    /// How many pairs of runs; an interval needs 3
    #[arg(long, default_value_t = 10, value_parser = number::at_least::<usize>(3))]
    rounds: usize,
    /// How many sites are tapped at least
    #[arg(long, default_value_t = 4)]
    sites: usize,
    /// Where to write the report as JSON; - is stdout
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Bench {
    pub(super) async fn run(self) -> Result<()> {
        if !self.everything {
            logging::start(None);
            return self.measure().await;
        }
        let collector = Collector::start().await?;
        let endpoint = Some(collector.endpoint());
        let exporter =
            Exporter::start(&themecast_telemetry::Config { endpoint, ..Default::default() })?;
        logging::start(exporter.as_ref());
        self.measure().await?;
        if let Some(exporter) = exporter {
            exporter.shutdown().await;
        }
        ensure!(collector.batches() > 0, "no traces were exported, so their cost is not in it");
        Ok(())
    }

    async fn measure(self) -> Result<()> {
        let engines = self.concurrency.iter().copied().max().unwrap_or(1).max(1);
        let host = model::host(self.model.as_deref(), engines).await?;
        let metrics = Metrics::new()?;
        let bundle = match &self.bundle {
            Some(folder) => forecast::read(folder)?,
            None => shipped::of(host.model())?,
        };
        let bundle = if self.linear { bundle.linear() } else { bundle };
        let log = tempfile::NamedTempFile::new()?;
        let setting = match self.everything {
            true => everything(metrics, log.path(), &bundle.card.themes)?,
            false => Setting::new(metrics),
        };
        let forecast = forecast::attach(bundle, &*host, &setting)?;
        let config = bench::Config {
            concurrency: self.concurrency,
            tokens: self.tokens,
            rounds: self.rounds,
            scraped: self.everything,
            extra_sites: extra(
                &host,
                self.sites.saturating_sub(forecast.runner.interest.sites.len()),
            ),
        };
        let progress = Progress::new("bench");
        let at = |done, total| progress.at(done, total);
        let report = bench::run(&host, &forecast.runner, &config, &at).await?;
        match &self.json {
            Some(path) => output::write(path, &(serde_json::to_string_pretty(&report)? + "\n"))?,
            None => output::print(&report.to_string())?,
        }
        Ok(())
    }
}

/// All that an operator may switch on, but traces, which have a collector of their own.
fn everything(metrics: Arc<Metrics>, log: &Path, themes: &[Theme]) -> Result<Setting> {
    let config = themecast_alarms::Config {
        log: Some(log.to_owned()),
        policy: Policies {
            martingale: Policy::Shadow,
            watch: Policy::Shadow,
            ..Policies::default()
        },
        ..themecast_alarms::Config::default()
    };
    let desk = Desk::open(&config, metrics.clone())?;
    let watched = themes.iter().take(2).map(|theme| theme.id.clone()).collect();
    let (name, phrases) = ("bench".to_owned(), Vec::new());
    let watch = Watched { name, themes: watched, phrases, raise: 0.5, release: None };
    Ok(Setting {
        desk: Some(Arc::new(desk)),
        watches: vec![watch],
        audited: 0.02,
        ..Setting::new(metrics)
    })
}

/// `count` further sites, spread over the layers.
fn extra(host: &Arc<dyn Host>, count: usize) -> Vec<Site> {
    let layers = host.model().layers;
    (0..count).map(|i| Site::LayerMid((i + 1) * layers / (count + 1))).collect()
}
