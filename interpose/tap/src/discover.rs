//! Listening to the first forward pass of a freshly loaded model.

use crate::{
    EngineTap, SiteError, SiteMap,
    sites::SeenNorm,
    watch::{self, WATCHER},
};
use std::sync::Arc;
use themecast_plugin_api::ModelInfo;

/// Records the norms of models that are not yet known, from its making until it is resolved.
///
/// One at a time in a process: a second [`Discovery::start`] waits for the first to end. mistral.rs
/// runs one short prompt through every model that it loads; that pass is what is listened to.
#[derive(Debug)]
pub struct Discovery(());

impl Discovery {
    /// Begins to listen, installing the watcher on first use; waits while another one listens.
    ///
    /// # Errors
    /// [`SiteError::Observed`] when something else in this process listens to forward passes.
    pub fn start() -> Result<Self, SiteError> {
        if !watch::install() {
            return Err(SiteError::Observed);
        }
        WATCHER.start_recording();
        Ok(Self(()))
    }

    /// Ends listening and resolves what was heard into the tap of that model.
    ///
    /// # Errors
    /// [`SiteError`] when the model's norms do not map to sites.
    pub fn resolve(self, model: &ModelInfo) -> Result<Arc<EngineTap>, SiteError> {
        let seen: Vec<SeenNorm> = WATCHER.recorded();
        let map = SiteMap::resolve(&seen, &model.architecture, model.layers, model.hidden_size)?;
        let tap = Arc::new(EngineTap::new(map));
        WATCHER.register(&tap);
        Ok(tap)
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        WATCHER.stop_recording();
    }
}
