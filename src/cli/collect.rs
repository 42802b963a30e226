//! `themecast collect`: prompts → sampled continuations with their residuals.

use super::{model, number, progress::Progress};
use crate::collect::{self, Folder, Intervention};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use themecast_plugin_api::Site;

#[derive(Args)]
pub(super) struct Collect {
    /// A .gguf file, a folder of safetensors, a hub name or a name that `fetch --named`
    /// knows; the default model where not given
    #[arg(long)]
    model: Option<String>,
    /// The prompts: {"id","prompt","group"?,"split"?} a line
    #[arg(long)]
    prompts: PathBuf,
    /// How many continuations of each prompt
    #[arg(long, default_value_t = 2, value_parser = number::at_least::<u32>(1))]
    samples: u32,
    /// The longest answer, in tokens
    #[arg(long, default_value_t = 384, value_parser = number::at_least::<usize>(1))]
    max_tokens: usize,
    /// The sampling temperature
    #[arg(long, default_value_t = 0.7, value_parser = number::temperature)]
    temperature: f64,
    /// The seed; the same one draws the same answers, in any shard
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where residuals are read, such as final,layer.24.in
    #[arg(long, default_value = "final", value_delimiter = ',')]
    sites: Vec<Site>,
    #[command(flatten)]
    folder: Folder,
}

impl Collect {
    pub(super) async fn run(self) -> Result<()> {
        let host = model::host(self.model.as_deref(), self.folder.engines).await?;
        model::check_sites(&*host, &self.sites)?;
        let config = collect::Config {
            prompts: self.prompts,
            samples: self.samples,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            seed: self.seed,
            sites: self.sites,
            intervention: Intervention::default(),
            folder: self.folder,
        };
        let progress = Progress::new("collect");
        let made = collect::run(&host, &config, &|done, total| progress.at(done, total)).await?;
        eprintln!("{made} documents added to {}", config.folder.out.display());
        Ok(())
    }
}
