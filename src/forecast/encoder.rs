//! The sentence encoder: of phrases to watch for, of texts that a bundle reads, of audits.

use parking_lot::Mutex;
use rayon::ThreadPool;
use themecast_forecast::text;
use themecast_lab::{
    LabError,
    embed::{self, Embedder},
};

/// The name on the card of bundles that were trained with it.
pub const ENCODER: &str = "all-MiniLM-L6-v2";

/// Encodes texts, one caller after the other and on one thread, so that decoding loses no more
/// than that; the encoder is fetched and loaded when it is first needed, at the start by a bundle
/// that reads text, and then kept.
#[derive(Default)]
pub struct Encoder(Mutex<Option<Loaded>>);

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

impl Encoder {
    /// Fetches and loads the encoder, unless that was done: who knows that it will be needed does
    /// not let a request wait for it.
    ///
    /// # Errors
    /// Why it is not there, in one line.
    pub fn ready(&self) -> Result<(), String> {
        Self::loaded(&mut self.0.lock()).map(drop)
    }

    fn loaded(kept: &mut Option<Loaded>) -> Result<&Loaded, String> {
        let loaded = match kept.take() {
            Some(loaded) => loaded,
            None => Loaded::new().map_err(|error| format!("the sentence encoder: {error:#}"))?,
        };
        Ok(kept.insert(loaded))
    }
}

impl text::Embed for Encoder {
    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
        use embed::Embed;
        let mut kept = self.0.lock();
        let Loaded { embedder, pool } = Self::loaded(&mut kept)?;
        pool.install(|| embedder.embed(texts, &|_, _| {})).map_err(|error| error.to_string())
    }
}

/// Of audits, which have time: between two texts whoever else waits has its turn.
impl embed::Embed for Encoder {
    fn embed(
        &self,
        texts: &[String],
        progress: &dyn Fn(usize, usize),
    ) -> Result<Vec<Vec<f32>>, LabError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for (done, text) in texts.iter().enumerate() {
            let one = std::slice::from_ref(text);
            vectors.extend(text::Embed::embed(self, one).map_err(LabError::Embed)?);
            progress(done + 1, texts.len());
        }
        Ok(vectors)
    }
}
