//! The detectors' statistics along one answer.

use crate::{
    Result,
    dataset::Document,
    embed::Embed,
    eval::embeddings::Embeddings,
    replay::ended_segments,
    train::detectors::{Seen, seen},
};
use themecast_forecast::{
    bundle::Bundle,
    divergence::{Coherence, CoherenceCard, Martingale, Monitor, Segment, entropy_nats},
};

/// Quantiles of the text detector.
const QUANTILES: usize = 257;

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// At each segment's end: how many tokens had been read, each detector's statistic.
    pub(super) moments: Vec<(usize, Vec<(&'static str, f32)>)>,
    /// How many tokens had been read where the answer was made to leave its path.
    pub(super) onset: Option<usize>,
}

/// A detector that reads the text: how far each segment's embedding lies from the answer's so far,
/// bet on as the residuals are.
pub(super) struct Texts<'a> {
    embedder: &'a dyn Embed,
    card: CoherenceCard,
}

impl<'a> Texts<'a> {
    /// Tunes it on clean `documents`.
    pub(super) fn tune(embedder: &'a dyn Embed, documents: &[Document]) -> Result<Self> {
        let mut found = Vec::new();
        for document in documents {
            let mut coherence = Coherence::default();
            for vector in embedder.embed(&ended_segments(document), &|_, _| {})? {
                found.extend(coherence.end(&vector));
            }
        }
        Ok(Self { embedder, card: CoherenceCard::of(&found, QUANTILES) })
    }
}

/// The detectors along `document`.
pub(super) fn of(
    bundle: &Bundle,
    read: Option<&Embeddings>,
    texts: Option<&Texts<'_>>,
    document: &Document,
) -> Result<Trace> {
    let seen = seen(bundle, read, document)?;
    let vectors = match texts {
        Some(texts) => texts.embedder.embed(&ended_segments(document), &|_, _| {})?,
        None => Vec::new(),
    };
    let mut monitor = Monitor::new(bundle);
    let (mut coherence, mut text) = (Coherence::default(), Martingale::default());
    let mut moments = Vec::with_capacity(seen.len());
    for (place, one) in seen.iter().enumerate() {
        let Seen { forecast, theme, residual_mean, token, .. } = one;
        monitor.end(bundle, Segment { forecast, theme: *theme, residual_mean });
        let mut scores = monitor.scores();
        scores.push(("forecast entropy", entropy_nats(forecast)));
        if let Some((texts, vector)) = texts.zip(vectors.get(place)) {
            if let Some((before, distance)) = coherence.end(vector) {
                text.bet(texts.card.payoff(before, distance));
            }
            scores.push(("text embedding", text.score()));
        }
        moments.push((*token, scores));
    }
    let last = seen.iter().rfind(|one| onset(document).is_some_and(|at| one.segment <= at));
    Ok(Trace { moments, onset: last.map(|one| one.token) })
}

/// The last segment before the splice, as the id of a spliced answer has it.
fn onset(document: &Document) -> Option<i32> {
    let (own, _) = document.id.split_once('+')?;
    own.rsplit_once('@')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_splice_is_read_from_the_id() {
        let document = |id: &str| Document { id: id.to_owned(), ..Document::default() };
        assert_eq!(onset(&document("story-3/0@2+recipe-7/1@4")), Some(2));
        assert_eq!(onset(&document("story-3/0")), None);
    }
}
