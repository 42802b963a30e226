//! `themecast resample`: the other ways that collected answers could have gone on.

use super::{model, number, progress::Progress, steer::Steer};
use crate::collect::{Folder, resample};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use themecast_plugin_api::Site;

#[derive(Args)]
pub(super) struct Resample {
    /// The collection's folder
    #[arg(long)]
    data: PathBuf,
    /// A .gguf file, a folder of safetensors, a hub name or a name that `fetch --named`
    /// knows; the default model where not given
    #[arg(long)]
    model: Option<String>,
    /// How many answers of the test split are cut, each at one segment's end
    #[arg(long, default_value_t = 105)]
    cuts: usize,
    /// How many continuations of each
    #[arg(long, default_value_t = 16, value_parser = number::at_least::<u32>(1))]
    samples: u32,
    /// The longest continuation, in tokens
    #[arg(long, default_value_t = 64, value_parser = number::at_least::<usize>(1))]
    max_tokens: usize,
    /// How many segments stand before a cut at least
    #[arg(long, default_value_t = 1)]
    before: usize,
    /// Where residuals are kept, such as final,layer.12.in; they are in the collection
    #[arg(long, value_delimiter = ',')]
    sites: Vec<Site>,
    /// Steered from the cut on: answers that the model itself turns
    #[command(flatten)]
    steer: Steer,
    #[command(flatten)]
    folder: Folder,
}

impl Resample {
    pub(super) async fn run(self) -> Result<()> {
        let steering = self.steer.direction(&self.data).await?;
        let host = model::host(self.model.as_deref(), self.folder.engines).await?;
        let config = resample::Config {
            data: self.data,
            cuts: self.cuts,
            samples: self.samples,
            max_tokens: self.max_tokens,
            before: self.before,
            sites: self.sites,
            steering,
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
