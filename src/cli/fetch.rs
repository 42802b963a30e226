//! `themecast fetch`: the default model and the sentence embedder into the cache.

use super::output;
use anyhow::{Context, Result};
use clap::Args;
use themecast_assets::{AssetError, Lines, to_stderr};

#[derive(Args)]
pub(super) struct Fetch {
    /// Another model that is known by name, such as qwen2.5-coder-1.5b, instead of the default
    #[arg(long, value_parser = known)]
    named: Option<String>,
}

/// A name that is known; the error lists those that are, and nothing is fetched for it.
fn known(name: &str) -> Result<String, AssetError> {
    if !themecast_assets::is_known(name) {
        themecast_assets::named(name, &Lines::default())?;
    }
    Ok(name.to_owned())
}

impl Fetch {
    pub(super) async fn run(self) -> Result<()> {
        let fetched = tokio::task::spawn_blocking(move || -> Result<()> {
            let progress = to_stderr();
            if let Some(name) = &self.named {
                let path = themecast_assets::fetch_named(name, &*progress)?;
                return output::print(&path.display().to_string());
            }
            let paths = themecast_assets::fetch_default(&*progress)?;
            let (model, embedder) = (paths.model.display(), paths.embedder.display());
            output::print(&format!("model     {model}\nembedder  {embedder}"))
        });
        fetched.await.context("the download was cut short")?
    }
}
