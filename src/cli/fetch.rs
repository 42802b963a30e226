//! `themecast fetch`: the default model and the sentence embedder into the cache.

use anyhow::{Context, Result};
use clap::Args;
use themecast_assets::to_stderr;

#[derive(Args)]
pub(super) struct Fetch {
    /// Another model that is known by name, such as qwen2.5-coder-1.5b, instead of the default
    #[arg(long)]
    named: Option<String>,
}

impl Fetch {
    pub(super) async fn run(self) -> Result<()> {
        let fetched = tokio::task::spawn_blocking(move || -> Result<()> {
            let progress = to_stderr();
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
