//! The sentence encoder: of phrases to watch for, of texts that a bundle reads, of audits.

use parking_lot::Mutex;
use rayon::ThreadPool;
use std::time::{Duration, Instant};
use themecast_forecast::text;
use themecast_lab::{
    LabError,
    embed::{self, Embedder},
};

/// The name on the card of bundles that were trained with it.
pub const ENCODER: &str = "all-MiniLM-L6-v2";
/// How many numbers an embedding of it has.
pub const ENCODER_DIMENSION: usize = 384;

/// How long a failure to get the encoder is told again before it is tried again: whoever asks meanwhile
/// would wait for the same network in vain.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Encodes texts, one caller after the other and on one thread, so that decoding loses no more
/// than that; the encoder is fetched and loaded when it is first needed, at the start by a bundle
/// that reads text, and then kept.
#[derive(Default)]
pub struct Encoder(Mutex<Late<Loaded>>);

/// What is made when it is first needed, and when making it last failed.
struct Late<T> {
    made: Option<T>,
    failed: Option<(Instant, String)>,
}

impl<T> Default for Late<T> {
    fn default() -> Self {
        Self { made: None, failed: None }
    }
}

impl<T> Late<T> {
    /// What `make` has made, now or before; or why it failed, if that was less than `patience` ago.
    fn get(
        &mut self,
        make: impl FnOnce() -> anyhow::Result<T>,
        patience: Duration,
    ) -> Result<&T, String> {
        if let Some((at, why)) = &self.failed
            && at.elapsed() < patience
        {
            return Err(why.clone());
        }
        let made = self.made.take().map_or_else(make, Ok).map_err(|error| {
            let why = format!("{error:#}");
            self.failed = Some((Instant::now(), why.clone()));
            why
        })?;
        self.failed = None;
        Ok(self.made.insert(made))
    }
}

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
        Self::loaded(&mut self.0.lock(), Duration::ZERO).map(drop)
    }

    fn loaded(kept: &mut Late<Loaded>, patience: Duration) -> Result<&Loaded, String> {
        let found = kept.get(Loaded::new, patience);
        found.map_err(|why| format!("the sentence encoder: {why}"))
    }
}

impl text::Embed for Encoder {
    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, String> {
        use embed::Embed;
        let mut kept = self.0.lock();
        let Loaded { embedder, pool } = Self::loaded(&mut kept, RETRY_AFTER)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_failure_is_told_again_and_after_a_while_tried_again() {
        let mut late = Late::default();
        let never = || -> anyhow::Result<u8> { unreachable!("it was tried at once") };
        assert_eq!(late.get(|| bail!("offline"), RETRY_AFTER), Err("offline".to_owned()));
        assert_eq!(late.get(never, RETRY_AFTER), Err("offline".to_owned()));
        assert_eq!(late.get(|| Ok(7), Duration::ZERO), Ok(&7));
        assert_eq!(late.get(never, Duration::ZERO), Ok(&7));
    }
}
