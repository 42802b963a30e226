//! `themecast read`: another model reads what was collected.

use super::{model, progress::Progress};
use crate::collect::{Folder, read};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use themecast_plugin_api::Site;

#[derive(Args)]
pub(super) struct Read {
    /// The collection's folder
    #[arg(long)]
    data: PathBuf,
    /// The model that reads: a .gguf file, a folder of safetensors, a hub name or a name that
    /// `fetch --named` knows; the default model where not given
    #[arg(long)]
    model: Option<String>,
    /// Where residuals are read, such as final,layer.12.in
    #[arg(long, default_value = "final", value_delimiter = ',')]
    sites: Vec<Site>,
    /// How many of the answers; all where not given
    #[arg(long)]
    documents: Option<usize>,
    /// Read this many answers of the test split instead, each with the rest of another one from
    /// within: planted divergences
    #[arg(long, conflicts_with = "documents")]
    splices: Option<usize>,
    #[command(flatten)]
    folder: Folder,
}

impl Read {
    pub(super) async fn run(self) -> Result<()> {
        let host = model::host(self.model.as_deref(), self.folder.engines).await?;
        model::check_sites(&*host, &self.sites)?;
        let config = read::Config {
            data: self.data,
            documents: self.documents,
            splices: self.splices,
            sites: self.sites,
            folder: self.folder,
        };
        let progress = Progress::new("read");
        let made = read::run(&host, &config, &|done, total| progress.at(done, total)).await?;
        eprintln!("{made} answers read into {}", config.folder.out.display());
        Ok(())
    }
}
