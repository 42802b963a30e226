//! Files of the model hub, fetched the way mistral.rs fetches them, through the hub's own cache.

use crate::{AssetError, Progress, catalogue::Asset, error::at, source::Source, staging::Staging};
use hf_hub::{
    Cache, Repo,
    api::sync::{ApiBuilder, ApiError},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The model hub.
pub(crate) struct Hub;

impl Source for Hub {
    fn name(&self) -> &'static str {
        "the model hub"
    }

    fn put(
        &self,
        asset: &Asset,
        _staging: &Staging,
        to: &Path,
        progress: &dyn Progress,
    ) -> Result<(), AssetError> {
        let found = file(asset.hub, progress)?;
        fs::copy(&found, to).map_err(at(to))?;
        Ok(())
    }
}

/// A file of a repository, in the hub's own cache; fetched if it is not there yet.
fn file((repository, file): (&str, &str), progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    if env::var_os("HF_HOME").is_none() && dirs::home_dir().is_none() {
        return Err(AssetError::Source("there is no folder for its cache; set HF_HOME".to_owned()));
    }
    let failed = |error: ApiError| {
        let text = error.to_string();
        AssetError::Source(format!("{repository}: {}", text.lines().next().unwrap_or_default()))
    };
    let repository = Repo::model(repository.to_owned());
    if let Some(there) = Cache::from_env().repo(repository.clone()).get(file) {
        return Ok(there);
    }
    let api = ApiBuilder::from_env().with_progress(false).build().map_err(failed)?;
    api.repo(repository).download_with_progress(file, Advance(progress)).map_err(failed)
}

/// Passes the hub's progress on.
struct Advance<'a>(&'a dyn Progress);

impl hf_hub::api::Progress for Advance<'_> {
    fn init(&mut self, _size: usize, _filename: &str) {}

    fn update(&mut self, size: usize) {
        self.0.advanced(size as u64);
    }

    fn finish(&mut self) {}
}
