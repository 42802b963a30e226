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
/// than that; the encoder is fetched and loaded when it is first needed and then kept.
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

impl text::Embed for Encoder {
    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
        use embed::Embed;
        let mut kept = self.0.lock();
        let loaded = match kept.take() {
            Some(loaded) => loaded,
            None => Loaded::new().map_err(|error| format!("the sentence encoder: {error:#}"))?,
        };
        let Loaded { embedder, pool } = kept.insert(loaded);
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
