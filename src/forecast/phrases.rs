//! The sentence encoder that phrases to watch for go through, loaded when the first one comes.

use parking_lot::Mutex;
use rayon::ThreadPool;
use themecast_forecast::open::Embed;
use themecast_lab::embed::{Embed as _, Embedder};

/// The name on the card of bundles that were trained with it.
pub const ENCODER: &str = "all-MiniLM-L6-v2";

/// Encodes phrases, one request after the other and on one thread, so that decoding loses no more
/// than that; the encoder is fetched and loaded when it is first needed and then kept.
#[derive(Default)]
pub struct Phrases(Mutex<Option<Loaded>>);

struct Loaded {
    embedder: Embedder,
    /// Apart from the threads that decode.
    pool: ThreadPool,
}

impl Loaded {
    fn new() -> anyhow::Result<Self> {
        let folder = themecast_assets::embedder(&*themecast_assets::to_stderr())?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        Ok(Self { embedder: Embedder::load(&folder)?, pool })
    }
}

impl Embed for Phrases {
    fn embed(&self, phrases: &[String]) -> Result<Vec<Vec<f32>>, String> {
        let mut kept = self.0.lock();
        let loaded = match kept.take() {
            Some(loaded) => loaded,
            None => Loaded::new().map_err(|error| format!("the sentence encoder: {error:#}"))?,
        };
        let Loaded { embedder, pool } = kept.insert(loaded);
        pool.install(|| embedder.embed(phrases, &|_, _| {})).map_err(|error| error.to_string())
    }
}
