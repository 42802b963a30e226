//! The phrases that probabilities are learnt from: themes, long and short, and what never comes.

use super::corpus::{self, Corpus};
use crate::{Result, embed::Embed};
use ndarray::{Array2, Axis};
use themecast_forecast::bundle::Theme;

/// The theme of a phrase that no segment is like.
pub(super) const NEVER: u32 = u32::MAX;

/// A decoy that a segment is nearer to than this is no decoy in that collection.
const NEAR: f32 = 0.5;

/// Phrases that people might watch for and that an ordinary collection has nothing of. Without
/// them every phrase of the calibration comes now and then, and serving would be too sure of
/// those that never do.
const DECOYS: [&str; 32] = [
    "refund request",
    "cancel my subscription",
    "credit card number",
    "password reset",
    "legal threat",
    "complaint about a delivery",
    "racist insult",
    "instructions for a weapon",
    "suicide",
    "drug dosage",
    "election result",
    "stock market crash",
    "tax return",
    "insurance claim",
    "football match report",
    "quantum field theory",
    "chess opening",
    "patent application",
    "medieval theology",
    "aircraft maintenance",
    "dental surgery",
    "horoscope",
    "cryptocurrency scam",
    "job interview questions",
    "wine tasting notes",
    "military strategy",
    "mathematical proof",
    "song lyrics",
    "lottery numbers",
    "terms and conditions",
    "spam advertisement",
    "translation into French",
];

/// Phrases with the theme that each stands for: first the themes' names with their descriptions,
/// in the catalogue's order, then their names alone, then decoys.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// *Shape* `[phrases, dimension]`.
    pub(super) embeddings: Array2<f32>,
    pub(super) themes: Vec<u32>,
}

impl Catalogue {
    /// Embeds the phrases for `themes`, and those decoys that no segment of `corpus` is near.
    ///
    /// # Errors
    /// [`crate::LabError`] of embedding.
    pub(super) fn new(themes: &[Theme], corpus: &Corpus, embedder: &dyn Embed) -> Result<Self> {
        let described = themes.iter().map(|theme| match theme.description.trim() {
            "" => theme.name.clone(),
            description => format!("{}: {description}", theme.name),
        });
        let named = themes.iter().map(|theme| theme.name.clone());
        let decoys = DECOYS.iter().map(|&decoy| decoy.to_owned());
        let texts: Vec<String> = described.chain(named).chain(decoys).collect();
        let embeddings = corpus::embed(embedder, &texts)?;
        let nearest = |place: usize| {
            let cosines = corpus.embeddings.dot(&embeddings.row(place));
            cosines.iter().fold(f32::MIN, |most, &cosine| most.max(cosine))
        };
        let known = 2 * themes.len();
        let kept: Vec<usize> =
            (0..texts.len()).filter(|&place| place < known || nearest(place) < NEAR).collect();
        let theme = |&place: &usize| match place < known {
            true => (place % themes.len()) as u32,
            false => NEVER,
        };
        Ok(Self {
            themes: kept.iter().map(theme).collect(),
            embeddings: embeddings.select(Axis(0), &kept),
        })
    }
}
