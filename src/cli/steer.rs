//! The flags that steer a model from one theme to another.

use crate::host::Steering;
use anyhow::{Context, Result};
use clap::Args;
use sha2::{Digest, Sha256};
use std::path::Path;
use themecast_lab::steer;
use themecast_plugin_api::Site;

/// Which way the model is steered, and how far.
#[derive(Args, Clone)]
pub(super) struct Steer {
    /// Steer the model from one theme to another: two ids of themes
    #[arg(long, value_name = "FROM,TO", value_parser = two)]
    pub(super) lean: Option<(String, String)>,
    /// Where it is steered; labelled tokens of the collection have residuals there
    #[arg(long, default_value = "layer.12.in", requires = "lean")]
    at: Site,
    /// How long the direction is, in mean residuals there
    #[arg(long, default_value_t = 0.5, requires = "lean")]
    strength: f32,
}

/// Two themes.
fn two(text: &str) -> Result<(String, String), String> {
    let (from, to) = text.split_once(',').ok_or("want two themes, FROM,TO")?;
    Ok((from.to_owned(), to.to_owned()))
}

impl Steer {
    /// The difference of the themes' mean residuals in the labelled collection in `data`, if the
    /// model is to be steered, and what that is called.
    pub(super) async fn direction(&self, data: &Path) -> Result<Option<(Steering, String)>> {
        let Some(names) = self.lean.clone() else { return Ok(None) };
        let (from, to) = names.clone();
        let (data, site, strength) = (data.to_owned(), self.at, self.strength);
        let found = move || steer::direction(&data, site, (&from, &to), strength);
        let found = tokio::task::spawn_blocking(found);
        let direction = found.await.context("reading the collection was cut short")??;
        // Two collections make two directions of one name.
        let bytes: Vec<u8> = direction.iter().flat_map(|number| number.to_le_bytes()).collect();
        let digest: String =
            Sha256::digest(bytes).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let name =
            format!("steered from {} to {} at {site} by {strength} ({digest})", names.0, names.1);
        Ok(Some((Steering { site, direction: direction.into() }, name)))
    }
}
