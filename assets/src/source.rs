//! What the cache asks of a place that assets come from.

use crate::{AssetError, Progress, catalogue::Asset, staging::Staging};
use std::path::Path;

/// A place that assets come from.
pub(crate) trait Source: Sync {
    /// What users are told it is.
    fn name(&self) -> &'static str;

    /// Writes the asset to `to`, which is in `staging`; whether it is right is checked afterwards.
    ///
    /// # Errors
    /// [`AssetError::Source`] when the source is to blame and another one may help.
    fn put(
        &self,
        asset: &Asset,
        staging: &Staging,
        to: &Path,
        progress: &dyn Progress,
    ) -> Result<(), AssetError>;

    /// Drops what it kept of an asset that turned out to be wrong.
    fn forget(&self, _asset: &Asset, _staging: &Staging) {}
}
