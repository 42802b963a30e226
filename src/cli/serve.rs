//! `themecast serve`: the server.

mod file;

use super::{Usage, logging, model, number};
use crate::{
    forecast::{self, Setting, shipped},
    host::{
        Host,
        mistral::{self, Isolation, Options},
    },
    metrics::Metrics,
    serve::{self, App, Forecast, Keys},
};
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;
use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};
use themecast_alarms::Desk;
use themecast_forecast::{bundle::Bundle, watchlist::Watched};
use themecast_telemetry::Exporter;
use tokio::runtime::Handle;

/// How long alarms that are still queued are waited for at the end.
const CLOSING: Duration = Duration::from_secs(5);

#[derive(Args, Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Serve {
    /// A .gguf file, a folder of safetensors, a hub name or a name that `fetch --named`
    /// knows [default: the default model]
    #[arg(long)]
    model: Option<String>,
    /// The bundle's folder [default: the one shipped for the model]
    #[arg(long, conflicts_with = "no_forecast")]
    bundle: Option<PathBuf>,
    /// Serve without forecasts
    #[arg(long)]
    no_forecast: bool,
    /// The address to listen on [default: 127.0.0.1:8080]
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// How many engines run the model, each with its own copy of the weights [default: 1]
    #[arg(long, value_parser = number::at_least::<NonZeroUsize>(1))]
    engines: Option<NonZeroUsize>,
    /// How many sequences one engine runs at once [default: 1 on a CPU, 32 on a GPU]
    #[arg(long, value_parser = number::at_least::<NonZeroUsize>(1))]
    sequences: Option<NonZeroUsize>,
    /// How many requests may wait for an engine [default: 256]
    #[arg(long)]
    max_waiting: Option<usize>,
    /// How many prompts' caches an engine keeps [default: 0 on a CPU, where mistral.rs never drops
    /// one, 16 on a GPU]
    #[arg(long)]
    prefix_cache: Option<usize>,
    /// Keys that may ask, one a line
    #[arg(long)]
    api_keys: Option<PathBuf>,
    /// Keys that may administer, one a line
    #[arg(long)]
    admin_keys: Option<PathBuf>,
    /// What is done about alarms: in the file alone
    #[arg(skip)]
    alarms: themecast_alarms::Config,
    /// Themes that must not come: in the file alone
    #[arg(skip)]
    watch: Vec<Watched>,
    /// Whether answers are audited: in the file alone
    #[arg(skip)]
    audit: Option<Audit>,
    /// Where traces are exported to: in the file alone
    #[arg(skip)]
    telemetry: themecast_telemetry::Config,
    /// The same settings from a TOML file, and what is done about alarms; flags win
    #[arg(long)]
    #[serde(skip)]
    config: Option<PathBuf>,
}

/// Which answers are labelled by the real labeller.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Audit {
    /// Their share, 0 to 1.
    share: f64,
}

impl Default for Audit {
    fn default() -> Self {
        Self { share: 0.02 }
    }
}

impl Serve {
    pub(super) async fn run(self) -> Result<()> {
        let config = self.with_file()?;
        let exporter = Exporter::start(&config.telemetry)?;
        logging::start(exporter.as_ref());
        let address = config.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let keys = Keys::read(config.api_keys.as_deref(), config.admin_keys.as_deref())?;
        let metrics = Metrics::new()?;
        let setting = config.setting(&metrics)?;
        let app = App::with(setting.clone(), keys);
        let listener = serve::bind(address).await?;
        let address = listener.local_addr()?; // its port too, where any would do
        let serving = tokio::spawn(serve::serve(listener, app.clone(), stopped()));
        // On a thread of its own, which nobody waits for who stops the server meanwhile: fetching and
        // loading block.
        let loading = tokio::task::spawn_blocking(move || {
            Handle::current().block_on(async { config.load(&setting).await })
        });
        let loaded = async {
            let (host, forecast) = loading.await.context("loading was cut short")??;
            let model = host.name().to_owned();
            app.set_ready(host, forecast).await;
            tracing::info!("ready: {model} on http://{address}");
            anyhow::Ok(())
        };
        tokio::select! {
            loaded = loaded => loaded?,
            () = stopped() => return Ok(()),
        }
        tokio::select! {
            served = serving => {
                served?.context("the server stopped")?;
                tracing::info!("stopped: every answer was finished");
            }
            () = twice() => tracing::warn!("stopped at once: what was not finished is cut off"),
        }
        if let Some(desk) = &app.setting.desk {
            desk.close(CLOSING).await;
        }
        if let Some(exporter) = exporter {
            exporter.shutdown().await;
        }
        Ok(())
    }

    /// What bundles are attached with.
    fn setting(&self, metrics: &Arc<Metrics>) -> Result<Setting> {
        let desk = Desk::open(&self.alarms, metrics.clone())?;
        let audited = self.audit.as_ref().map_or(0.0, |audit| audit.share);
        if !(0.0..=1.0).contains(&audited) {
            return Err(Usage(format!("audit.share is {audited}: want 0 to 1")).into());
        }
        let (desk, watches) = (Some(Arc::new(desk)), self.watch.clone());
        Ok(Setting { desk, watches, audited, ..Setting::new(metrics.clone()) })
    }

    async fn load(&self, setting: &Setting) -> Result<(Arc<dyn Host>, Option<Forecast>)> {
        // Before a model is fetched or loaded: what is wrong with a bundle shows at once.
        let given = self.bundle.as_deref().filter(|_| !self.no_forecast);
        let bundle = given.map(forecast::read).transpose()?;
        let source = model::source(self.model.as_deref()).await?;
        let defaults = Options::default();
        let options = Options {
            engines: self.engines.map_or(defaults.engines, NonZeroUsize::get),
            sequences: self.sequences.map(NonZeroUsize::get),
            max_waiting: self.max_waiting.unwrap_or(defaults.max_waiting),
            prefix_cache: self.prefix_cache,
            ..defaults
        };
        let host = mistral::load(&source, &options).await?;
        setting.metrics.isolation(host.isolation() == Some(Isolation::Passed));
        let forecast = self.forecast(bundle, &*host, setting)?;
        Ok((host, forecast))
    }

    fn forecast(
        &self,
        bundle: Option<Bundle>,
        host: &dyn Host,
        setting: &Setting,
    ) -> Result<Option<Forecast>> {
        if self.no_forecast {
            ensure!(
                !setting.desk.as_ref().is_some_and(|desk| desk.stops()),
                "--no-forecast leaves no alarms that could stop an answer: take \"stop\" out of \
                 [alarms.policy]"
            );
            return Ok(None);
        }
        let bundle = bundle.map_or_else(|| shipped::of(host.model()), Ok)?;
        Ok(Some(forecast::attach(bundle, host, setting)?))
    }
}

/// Resolves when the process is asked to stop for the second time: answers are not waited for then.
async fn twice() {
    stopped().await;
    stopped().await;
}

/// Resolves when the process is asked to stop, by Ctrl-C or SIGTERM.
async fn stopped() {
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    interrupted.await;
}
