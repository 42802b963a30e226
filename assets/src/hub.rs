//! Files of the model hub, fetched the way mistral.rs fetches them.

use crate::AssetError;
use hf_hub::api::sync::ApiBuilder;
use std::path::PathBuf;

/// Fetches a file of a repository into the hub's own cache.
pub(crate) fn file((repository, file): (&str, &str)) -> Result<PathBuf, AssetError> {
    let failed = |error: hf_hub::api::sync::ApiError| {
        let text = error.to_string();
        AssetError::Source(format!("{repository}: {}", text.lines().next().unwrap_or_default()))
    };
    let api = ApiBuilder::new().with_progress(false).build().map_err(failed)?;
    api.model(repository.to_owned()).get(file).map_err(failed)
}
