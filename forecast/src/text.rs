//! The text so far, as a predictor may read it: sentence embeddings of prompt and segments.
//!
//! Only bundles that were trained with text read it. The encoder is not here: whoever serves
//! implements [`Embed`]. It runs once a segment, on the session's thread, never on the engine's.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Turns texts into vectors of length 1, as training did.
pub trait Embed: Send + Sync {
    /// One vector a text, in the same order.
    ///
    /// # Errors
    /// Why there is none, in one line.
    fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, String>;
}

/// What the card says of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextCard {
    /// The sentence encoder, by name.
    pub embedder: String,
    /// The width of its vectors.
    pub dimension: usize,
}

/// Reads texts as the bundle wants them.
pub(crate) struct Reader {
    encoder: Arc<dyn Embed>,
    card: TextCard,
}

impl Reader {
    pub(crate) fn new(encoder: Arc<dyn Embed>, card: &TextCard) -> Self {
        Self { encoder, card: card.clone() }
    }

    /// The embedding of `text`.
    ///
    /// # Errors
    /// The encoder's; or that its vectors are not the bundle's.
    pub(crate) fn read(&self, text: &str) -> Result<Vec<f32>, String> {
        let vector = self.encoder.embed(&[text.trim().to_owned()])?.pop().unwrap_or_default();
        match vector.len() == self.card.dimension {
            true => Ok(vector),
            false => Err(format!(
                "the sentence encoder gave a vector of width {}: the bundle wants {} of {}",
                vector.len(),
                self.card.dimension,
                self.card.embedder
            )),
        }
    }
}
