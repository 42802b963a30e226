//! `themecast resample`: the other ways that collected answers could have gone on.

use super::{model, number, progress::Progress};
use crate::collect::{Folder, resample};
use crate::host::Steering;
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use themecast_lab::steer;
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
    #[arg(long, default_value_t = 64)]
    max_tokens: usize,
    /// How many segments stand before a cut at least
    #[arg(long, default_value_t = 1)]
    before: usize,
    /// Where residuals are kept, such as final,layer.12.in; they are in the collection
    #[arg(long, value_delimiter = ',')]
    sites: Vec<Site>,
    /// Steer the model from the cut on, from one theme to another: two ids of themes
    #[arg(long, value_name = "FROM,TO", value_parser = two)]
    lean: Option<(String, String)>,
    /// Where it is steered; labelled tokens of the collection have residuals there
    #[arg(long, default_value = "layer.12.in", requires = "lean")]
    at: Site,
    /// How long the direction is, in mean residuals there
    #[arg(long, default_value_t = 0.5, requires = "lean")]
    strength: f32,
    #[command(flatten)]
    folder: Folder,
}

/// Two themes.
fn two(text: &str) -> Result<(String, String), String> {
    let (from, to) = text.split_once(',').ok_or("want two themes, FROM,TO")?;
    Ok((from.to_owned(), to.to_owned()))
}

impl Resample {
    /// The difference of the themes' mean residuals, if the model is to be steered.
    async fn steering(&self) -> Result<Option<Steering>> {
        let Some((from, to)) = self.lean.clone() else { return Ok(None) };
        let (data, site, strength) = (self.data.clone(), self.at, self.strength);
        let found = move || steer::direction(&data, site, (&from, &to), strength);
        let found = tokio::task::spawn_blocking(found);
        let direction = found.await.context("reading the collection was cut short")??;
        Ok(Some(Steering { site, direction: direction.into() }))
    }

    pub(super) async fn run(self) -> Result<()> {
        let steering = self.steering().await?;
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
