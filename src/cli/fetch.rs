//! `themecast fetch`: the default model and the sentence embedder into the cache.

use anyhow::{Context, Result};
use clap::Args;
use std::io::IsTerminal;
use themecast_assets::{Bars, Lines, Progress};

#[derive(Args)]
pub(super) struct Fetch {
    /// Another model that is known by name, such as qwen2.5-coder-1.5b, instead of the default
    #[arg(long)]
    named: Option<String>,
}

/// How downloads show their progress here.
pub(super) fn progress() -> Box<dyn Progress> {
    match std::io::stderr().is_terminal() {
        true => Box::new(Bars::default()),
        false => Box::new(Lines::default()),
    }
}

impl Fetch {
    pub(super) async fn run(self) -> Result<()> {
        let fetched = tokio::task::spawn_blocking(move || -> Result<()> {
            let progress = progress();
            if let Some(name) = &self.named {
                println!("{}", themecast_assets::named(name, &*progress)?.display());
                return Ok(());
            }
            let paths = themecast_assets::fetch_default(&*progress)?;
            println!("model     {}", paths.model.display());
            println!("embedder  {}", paths.embedder.display());
            Ok(())
        });
        fetched.await.context("the download was cut short")?
    }
}
