//! `themecast steer`: a model that leans from one theme to another, for planted divergences.

use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use themecast_lab::steer;
use themecast_plugin_api::Site;

#[derive(Args)]
pub(super) struct Steer {
    /// The labelled collection's folder, with the residuals of layer.0.in
    #[arg(long)]
    data: PathBuf,
    /// The theme to lean away from
    #[arg(long)]
    from: String,
    /// The theme to lean to
    #[arg(long)]
    to: String,
    /// How long the direction is, in mean residuals before the first layer
    #[arg(long, default_value_t = 0.5)]
    strength: f32,
    /// The model, a .gguf file [default: the default model]
    #[arg(long)]
    model: Option<PathBuf>,
    /// The .gguf file to write
    #[arg(long)]
    out: PathBuf,
}

impl Steer {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.steer()).await.context("steering was cut short")?
    }

    fn steer(self) -> Result<()> {
        let model = match self.model {
            Some(model) => model,
            None => themecast_assets::default_model(&*themecast_assets::to_stderr())?,
        };
        let direction = steer::direction(
            &self.data,
            Site::LayerIn(0), // where the embeddings come in
            (&self.from, &self.to),
            self.strength,
        )?;
        themecast_assets::steered(&model, &self.out, &direction)?;
        eprintln!("{} leans from {} to {}", self.out.display(), self.from, self.to);
        Ok(())
    }
}
