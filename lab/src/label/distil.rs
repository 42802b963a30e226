//! A classifier of sentence embeddings that learns from a language model's sample and labels the
//! rest.
//!
//! The language model is asked about a thousand segments; this reads all of them in seconds. It
//! learns from the training split's answers, chooses its penalty on the validation split's, and
//! its agreement is measured on the test split's.

use super::{
    Agreement, Classifier, Labeler, Labeling, Segment, catalogue::Entry, embed_segments,
    llm::Answers, surface, words::Words,
};
use crate::{
    LabError, Result, Split,
    embed::Embed,
    train::{
        head::{self, Sample},
        logistic::Matrix,
        scaler::Scaler,
    },
};
use serde_json::json;
use std::path::PathBuf;
use themecast_forecast::linear::{Affine, softmax};

/// How many times each answer counts, each time with a theme drawn by its probabilities: so the
/// classifier learns what the model was unsure of.
const DRAWS: usize = 8;
const STEPS: u64 = 150;
/// How much the passage before and the words weigh beside the embedding; chosen on the validation
/// split.
const BEFORE: f32 = 0.4;
const WORDS: f32 = 0.6;

/// Labels segments as a language model would have.
pub struct Distilled<'a> {
    /// The catalogue the model chose from.
    pub catalogue: Vec<Entry>,
    /// What it said.
    pub answers: &'a Answers,
    /// Where the embeddings come from.
    pub embedder: &'a dyn Embed,
    /// Where what was learnt is kept, to label other texts with.
    pub keep: Option<PathBuf>,
}

impl std::fmt::Debug for Distilled<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Distilled").field("answers", &self.answers.len()).finish_non_exhaustive()
    }
}

impl Labeler for Distilled<'_> {
    fn method(&self) -> &str {
        "llm"
    }

    fn parameters(&self) -> serde_json::Value {
        json!({
            "themes": self.catalogue.len(), "answers": self.answers.len(), "draws": DRAWS,
            "between_orders": self.answers.between_orders(),
        })
    }

    fn label(&self, segments: &[Segment], progress: &dyn Fn(&str)) -> Result<Labeling> {
        let said = self.calibrated(segments, progress)?;
        if let Some(agreement) = self.answers.between_orders() {
            progress(&agreement.to_string());
        }
        let vectors = embed_segments(self.embedder, segments, progress)?;
        let words = learn_words(segments, &said);
        let rows = rows(segments, &vectors, &words);
        let affine = fit(segments, &rows, &said, (self.catalogue.len(), &words), progress)?;
        let classifier = Classifier::new(&self.catalogue, words, affine);
        let mut labeling = classifier.labeling(segments, &rows);
        labeling.agreement = measured(segments, &said, &labeling.assigned);
        if let Some(agreement) = &labeling.agreement {
            progress(&agreement.to_string());
        }
        if let Some(path) = &self.keep {
            classifier.save(path)?;
        }
        Ok(labeling)
    }
}

impl Distilled<'_> {
    /// What the model said of each segment it was asked about, without what it says of anything
    /// where it gave probabilities.
    ///
    /// # Errors
    /// [`LabError::Data`] where it said nothing of any.
    fn calibrated(
        &self,
        segments: &[Segment],
        progress: &dyn Fn(&str),
    ) -> Result<Vec<Option<Vec<f32>>>> {
        let nothing =
            || LabError::data("no training segment has a language model's answer: give --endpoint");
        let train = segments.iter().filter(|one| one.split == Split::Train);
        let train = train.map(|one| (one.document.as_str(), one.segment));
        let mean = self.answers.mean(0, train).ok_or_else(nothing)?;
        let of =
            |segment: &Segment| Some(self.answers.calibrated(self.answers.of(segment, 0)?, &mean));
        let said: Vec<_> = segments.iter().map(of).collect();
        let (used, all) = (said.iter().flatten().count(), self.answers.len());
        if used < all {
            progress(&format!("{all} answers; {used} segments have one that is about their text"));
        }
        if said.iter().all(Option::is_none) {
            return Err(nothing());
        }
        Ok(said)
    }
}

/// `answer` divided by the mean answer, as a distribution.
pub(super) fn without(answer: &[f32], mean: &[f32]) -> Vec<f32> {
    let mut logits: Vec<f32> =
        answer.iter().zip(mean).map(|(p, mean)| p.max(1e-4).ln() - mean.max(1e-4).ln()).collect();
    softmax(&mut logits);
    logits
}

/// The likeliest theme.
pub(super) fn likeliest(p: &[f32]) -> u32 {
    let best = p.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(theme, _)| theme as u32)
}

/// The words that tell the themes of the training split's answers apart.
fn learn_words(segments: &[Segment], said: &[Option<Vec<f32>>]) -> Words {
    let of = segments.iter().zip(said).filter(|(one, _)| one.split == Split::Train);
    Words::learn(of.filter_map(|(one, said)| Some((one.text.as_str(), likeliest(said.as_ref()?)))))
}

/// The classifier's row of each segment: its embedding, that of the one before, its layout, its
/// telling words.
pub(super) fn rows(segments: &[Segment], vectors: &[Vec<f32>], words: &Words) -> Vec<Vec<f32>> {
    let row = |place: usize| {
        let own = &vectors[place];
        let before = place
            .checked_sub(1)
            .filter(|&before| segments[before].document == segments[place].document);
        let mut row = own.clone();
        match before {
            Some(before) => row.extend_from_slice(&vectors[before]),
            None => row.extend(std::iter::repeat_n(0.0, own.len())),
        }
        row.extend(surface::features(&segments[place]));
        row.extend(words.features(&segments[place].text));
        row
    };
    (0..segments.len()).map(row).collect()
}

/// Fits on the answers.
fn fit(
    segments: &[Segment],
    rows: &[Vec<f32>],
    said: &[Option<Vec<f32>>],
    (themes, words): (usize, &Words),
    progress: &dyn Fn(&str),
) -> Result<Affine> {
    let drawn = |split: Split| {
        let (mut values, mut targets) = (Vec::new(), Vec::new());
        let of = segments.iter().zip(rows).zip(said).filter(|((one, _), _)| one.split == split);
        for ((_, row), answer) in of {
            let Some(answer) = answer else { continue };
            for draw in 0..DRAWS {
                values.extend_from_slice(row);
                targets.push(Some(at(answer, (draw as f32 + 0.5) / DRAWS as f32)));
            }
        }
        (values, targets)
    };
    let (mut train, train_targets) = drawn(Split::Train);
    let (mut validation, validation_targets) = drawn(Split::Validation);
    if train_targets.is_empty() || validation_targets.is_empty() {
        return Err(LabError::data("too few answers: every split needs some"));
    }
    let features = rows[0].len();
    let mut scaler = Scaler::measure(&train, features);
    let first_word = features - words.len();
    let embedding = (first_word - surface::COUNT) / 2;
    scaler.weigh(embedding..2 * embedding, BEFORE);
    scaler.weigh(first_word..features, WORDS);
    scaler.apply(&mut train);
    scaler.apply(&mut validation);
    let (train, validation) = (Matrix::new(train, features)?, Matrix::new(validation, features)?);
    let on = Sample { rows: &train, targets: &train_targets };
    let by = Sample { rows: &validation, targets: &validation_targets };
    let head = head::fit(on, by, themes, &[], STEPS)?;
    progress(&format!(
        "distilled from {} answers: {:.3} nats on the validation split's (penalty {})",
        train_targets.len() / DRAWS,
        head.validation_nats,
        head.lambda
    ));
    Ok(scaler.fold(&head.weights, head.temperature))
}

/// The theme at the `q`-quantile of a distribution.
fn at(p: &[f32], q: f32) -> u32 {
    let mut sum = 0.0;
    for (theme, p) in p.iter().enumerate() {
        sum += p;
        if q < sum {
            return theme as u32;
        }
    }
    p.len().saturating_sub(1) as u32
}

/// How far the classifier agrees with the model on the test split's answers.
fn measured(
    segments: &[Segment],
    said: &[Option<Vec<f32>>],
    assigned: &[u32],
) -> Option<Agreement> {
    let held = segments.iter().zip(said).zip(assigned);
    let held = held.filter(|((one, _), _)| one.split == Split::Test);
    let pairs = held.filter_map(|((_, said), own)| Some((likeliest(said.as_ref()?), *own)));
    let (theirs, own): (Vec<u32>, Vec<u32>) = pairs.unzip();
    Agreement::between("whoever gave the answers, on the test split", &theirs, &own, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_shares_of_the_answer() {
        let p = [0.5, 0.25, 0.25];
        let drawn: Vec<u32> = (0..8).map(|draw| at(&p, (draw as f32 + 0.5) / 8.0)).collect();
        assert_eq!(drawn, [0, 0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(at(&[0.3, 0.3], 0.99), 1, "what is missing goes to the last one");
    }

    #[test]
    fn what_is_said_of_anything_does_not_count() {
        let p = without(&[0.6, 0.3, 0.1], &[0.6, 0.1, 0.3]);
        assert_eq!(likeliest(&p), 1);
    }
}
