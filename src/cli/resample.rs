//! `themecast resample`: the other ways that collected answers could have gone on.

use super::{model, progress::Progress};
use crate::collect::{Folder, resample};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct Resample {
    /// The collection's folder
    #[arg(long)]
    data: PathBuf,
    /// A .gguf file, a folder of safetensors or a hub name; the default model where not given
    #[arg(long)]
    model: Option<String>,
    /// How many answers of the test split are cut, each at one segment's end
    #[arg(long, default_value_t = 100)]
    cuts: usize,
    /// How many continuations of each
    #[arg(long, default_value_t = 16)]
    samples: u32,
    /// The longest continuation, in tokens
    #[arg(long, default_value_t = 64)]
    max_tokens: usize,
    #[command(flatten)]
    folder: Folder,
}

impl Resample {
    pub(super) async fn run(self) -> Result<()> {
        let host = model::host(self.model.as_deref(), self.folder.engines).await?;
        let config = resample::Config {
            data: self.data,
            cuts: self.cuts,
            samples: self.samples,
            max_tokens: self.max_tokens,
            folder: self.folder,
        };
        let progress = Progress::new("resample");
        let begun = std::time::Instant::now();
        let made = resample::run(&host, &config, &|done, total| progress.at(done, total)).await?;
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!(
            "{made} continuations added to {} in {seconds:.0} s",
            config.folder.out.display()
        );
        Ok(())
    }
}
