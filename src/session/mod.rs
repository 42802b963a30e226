//! Running a plugin's session beside a request, so that it can never stall or break decoding.
//!
//! The engine's thread drops each step into a bounded queue and goes on ([`Feed`]); a thread of
//! the session's own runs the plugin (`worker`), where panics, errors and numbers that are not
//! finite are caught and counted; the stream picks up the annotation of each chunk
//! ([`Annotations`]) and waits for it only so long. Nothing here knows HTTP or an engine.

mod alignment;
mod annotations;
mod feed;
mod worker;

pub use annotations::Annotations;
pub use feed::Feed;
pub(crate) use worker::guarded;

use crate::{
    host::{Tap, Vocabulary},
    metrics::Metrics,
};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use themecast_plugin_api::{Annotation, Interest, Plugin, PluginError, RequestInfo};

/// What a plugin said at one step: an annotation, nothing, or why there is none.
pub type Outcome = Result<Option<Annotation>, String>;

/// A plugin attached to a model, ready to open sessions.
#[derive(Clone)]
pub struct Runner {
    /// The plugin.
    pub plugin: Arc<dyn Plugin>,
    /// What it wants of this model, asked once.
    pub interest: Interest,
    /// The model's tokens.
    pub vocabulary: Arc<Vocabulary>,
    /// Where outcomes are counted.
    pub metrics: Arc<Metrics>,
    /// How long a stream waits for the annotation of a chunk.
    pub patience: Duration,
    /// Whether an answer whose session fails or falls behind ends at the next token.
    pub fail_closed: bool,
}

/// How long a stream waits by default; a linear forecast takes well under a millisecond.
pub const PATIENCE: Duration = Duration::from_millis(200);

/// How many steps a session may lag behind its engine before it is given up.
const STEPS_BEHIND: usize = 256;

impl Runner {
    /// Opens the session of one request: the tap to give to the host, and its annotations.
    ///
    /// # Errors
    /// The plugin's own: [`PluginError::InvalidOption`] for options that do not fit, otherwise
    /// why there is no session.
    pub fn open(&self, request: &RequestInfo) -> Result<(Tap, Annotations), PluginError> {
        let session = worker::guarded(|| self.plugin.open(request))
            .map_err(|panic| PluginError::failed(format!("the plugin panicked: {panic}")))??;
        let (steps, inbox) = std::sync::mpsc::sync_channel(STEPS_BEHIND);
        let (notes, outbox) = tokio::sync::mpsc::unbounded_channel();
        let stop = Arc::new(AtomicBool::new(false));
        worker::spawn(session, inbox, (notes, stop.clone()), self)
            .map_err(|error| PluginError::failed(format!("no thread for the session: {error}")))?;
        let feed = Arc::new(Feed::new(steps, stop, self));
        let annotations = Annotations::new(feed.clone(), outbox, self);
        Ok((Tap { interest: self.interest.clone(), sink: feed }, annotations))
    }
}
