//! The detectors' statistics along one answer.

use super::perplexity::Output;
use crate::{
    Result,
    dataset::{Document, TokenRow},
    embed::Embed,
    eval::embeddings::Embeddings,
    replay::ended_segments,
    train::detectors::{Seen, seen},
};
use std::borrow::Cow;
use themecast_forecast::{
    bundle::Bundle,
    divergence::{Coherence, CoherenceCard, Martingale, Monitor, Segment, entropy_nats},
};

/// The statistic that has no alarm level of its own: in nats, not a fraction of one.
pub(super) const ENTROPY: &str = "forecast entropy";

/// Quantiles of the detectors of text.
const QUANTILES: usize = 257;

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// Its prompt's id: resampling draws whole prompts.
    pub(super) prompt: String,
    /// At each segment's end: how many tokens had been read, each detector's statistic.
    pub(super) moments: Vec<(usize, Vec<(&'static str, f32)>)>,
    /// How many tokens had been read where the answer was made to leave its path.
    pub(super) onset: Option<usize>,
}

impl Trace {
    /// What a detector's statistic is at each segment's end: how many tokens had been read, it.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, f64)> + 'a {
        self.moments.iter().filter_map(move |(token, scores)| {
            let score = scores.iter().find(|(of, _)| *of == name)?.1;
            Some((*token, f64::from(score)))
        })
    }
}

/// A detector that sees what the answer says, not what it is: a number for each segment, how
/// unusual it is by clean answers, bet on as the residuals' is.
pub(super) struct Rival<'a> {
    name: &'static str,
    /// For each segment after an answer's first: how many went before, and its number.
    of: Measure<'a>,
    card: CoherenceCard,
}

/// Measures the segments of an answer.
pub(super) type Measure<'a> = Box<dyn Fn(&Document) -> Result<Vec<(usize, f32)>> + 'a>;

impl<'a> Rival<'a> {
    /// How far each segment's sentence embedding lies from the answer's so far.
    pub(super) fn embedding(embedder: &'a dyn Embed, clean: &[Document]) -> Result<Self> {
        let of = move |document: &Document| {
            let mut coherence = Coherence::default();
            let vectors = embedder.embed(&ended_segments(document), &|_, _| {})?;
            Ok(vectors.iter().filter_map(|vector| coherence.end(vector)).collect())
        };
        Self::tuned("text embedding", Box::new(of), clean)
    }

    /// How unlikely each segment's tokens were to the model itself.
    pub(super) fn perplexity(output: &'a Output, clean: &[Document]) -> Result<Self> {
        let of = |document: &Document| {
            let means = output.by_segment(document)?;
            Ok(means.into_iter().enumerate().skip(1).collect())
        };
        Self::tuned("token perplexity", Box::new(of), clean)
    }

    fn tuned(name: &'static str, of: Measure<'a>, clean: &[Document]) -> Result<Self> {
        let mut found = Vec::new();
        for document in clean {
            found.extend(of(document)?);
        }
        Ok(Self { name, of, card: CoherenceCard::of(&found, QUANTILES) })
    }

    /// Its statistic at the end of each segment of `document`.
    fn along(&self, document: &Document) -> Result<Vec<f32>> {
        let mut test = Martingale::default();
        let mut scores = vec![test.score()];
        for (before, number) in (self.of)(document)? {
            test.bet(self.card.payoff(before, number));
            scores.push(test.score());
        }
        Ok(scores)
    }
}

/// The detectors along `document`, whose residuals begin with those of the bundle's sites.
pub(super) fn of(
    bundle: &Bundle,
    read: Option<&Embeddings>,
    rivals: &[Rival<'_>],
    document: &Document,
) -> Result<Trace> {
    let width = bundle.card.sites.len() * bundle.card.model.hidden_size;
    let seen = seen(bundle, read, &narrowed(document, width))?;
    let scored = rivals.iter().map(|rival| Ok((rival.name, rival.along(document)?)));
    let scored: Vec<(&str, Vec<f32>)> = scored.collect::<Result<_>>()?;
    let mut monitor = Monitor::new(bundle);
    let mut moments = Vec::with_capacity(seen.len());
    for (place, one) in seen.iter().enumerate() {
        let Seen { forecast, theme, residual_mean, token, .. } = one;
        monitor.end(bundle, Segment { forecast, theme: *theme, residual_mean });
        let mut scores = monitor.scores();
        scores.push((ENTROPY, entropy_nats(forecast)));
        let others = scored.iter().filter_map(|(name, all)| Some((*name, *all.get(place)?)));
        scores.extend(others);
        moments.push((*token, scores));
    }
    let last = seen.iter().rfind(|one| onset(document).is_some_and(|at| one.segment <= at));
    let prompt = Document::prompt_of(&document.id).to_owned();
    Ok(Trace { prompt, moments, onset: last.map(|one| one.token) })
}

/// The document with the first `width` numbers of each residual.
fn narrowed(document: &Document, width: usize) -> Cow<'_, Document> {
    let wider = |row: &TokenRow| row.residuals.as_ref().is_some_and(|all| all.len() > width);
    if !document.tokens.iter().any(wider) {
        return Cow::Borrowed(document);
    }
    let mut narrow = document.clone();
    let residuals = narrow.tokens.iter_mut().filter_map(|row| row.residuals.as_mut());
    residuals.for_each(|all| all.truncate(width));
    Cow::Owned(narrow)
}

/// The last segment before an answer turned, as its id has it: `ID@SEGMENT+…` of a spliced one,
/// `ID@SEGMENT/SAMPLE` of one that was steered from there on.
fn onset(document: &Document) -> Option<i32> {
    let own = document.id.split('+').next()?;
    let (_, place) = own.rsplit_once('@')?;
    place.split('/').next()?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An answer whose segments end after 10, 20, … tokens, with the statistic "one".
    pub(crate) fn trace(scores: &[f32], onset: Option<usize>) -> Trace {
        let moments = scores.iter().enumerate();
        let moments = moments.map(|(at, score)| (10 * (at + 1), vec![("one", *score)])).collect();
        Trace { prompt: String::new(), moments, onset }
    }

    #[test]
    fn a_bundle_sees_its_own_sites_of_what_was_read() {
        let row = |numbers: usize| TokenRow {
            residuals: Some(vec![half::f16::ONE; numbers]),
            ..TokenRow::default()
        };
        let tokens = vec![row(3), TokenRow::default(), row(3)];
        let document = Document { tokens, ..Document::default() };
        let wide = |document: &Document| document.tokens[2].residuals.as_ref().unwrap().len();
        assert_eq!(wide(&narrowed(&document, 2)), 2);
        assert!(matches!(narrowed(&document, 3), Cow::Borrowed(_)));
    }

    #[test]
    fn where_an_answer_turns_is_read_from_its_id() {
        let document = |id: &str| Document { id: id.to_owned(), ..Document::default() };
        assert_eq!(onset(&document("story-3/0@2+recipe-7/1@4")), Some(2));
        assert_eq!(onset(&document("story-3/0@2/0")), Some(2));
        assert_eq!(onset(&document("story-3/0")), None);
        for id in ["story-3/0", "story-3/1@2/0", "story-3/0@2+recipe-7/1@4"] {
            assert_eq!(Document::prompt_of(id), "story-3");
        }
    }
}
