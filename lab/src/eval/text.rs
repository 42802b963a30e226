//! The text baseline: TF-IDF of all the text so far, with the true themes so far.

use crate::{
    Result,
    replay::{Chain, target},
    train::{
        head::{self, Sample, Scaler},
        logistic::Matrix,
    },
};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use themecast_forecast::linear::softmax;

/// One document as text: its prompt and the text of each labelled segment.
pub(super) struct Story {
    pub(super) prompt: String,
    pub(super) segments: Vec<String>,
    pub(super) chain: Chain,
}

/// How strongly the words count beside the themes; the better one on the validation split is
/// taken, head by head.
const SCALES: [f32; 2] = [1.0, 0.25];

/// A vocabulary with inverse document frequencies, from the training split.
pub(super) struct Vocabulary {
    places: HashMap<String, usize>,
    rarity: Vec<f32>,
}

impl Vocabulary {
    /// The `size` words that the most documents have, of those that at least two have.
    pub(super) fn new(stories: &[Story], size: usize) -> Self {
        let mut documents: HashMap<String, usize> = HashMap::new();
        for story in stories {
            let texts = story.segments.iter().chain([&story.prompt]);
            let unique: HashSet<String> = texts.flat_map(|text| words(text)).collect();
            for word in unique {
                *documents.entry(word).or_default() += 1;
            }
        }
        let mut common: Vec<_> = documents.into_iter().filter(|&(_, count)| count > 1).collect();
        common.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        common.truncate(size);
        let all = stories.len() as f32;
        let rarity =
            common.iter().map(|&(_, n)| ((1.0 + all) / (1.0 + n as f32)).ln() + 1.0).collect();
        let places =
            common.into_iter().enumerate().map(|(place, (word, _))| (word, place)).collect();
        Self { places, rarity }
    }

    fn len(&self) -> usize {
        self.rarity.len()
    }

    fn count(&self, text: &str, counts: &mut [f32]) {
        for place in words(text).filter_map(|word| self.places.get(&word)) {
            counts[*place] += 1.0;
        }
    }
}

/// Rows of the prompt's end and of each boundary of every story, in order.
struct TextRows {
    /// *Shape* `[rows, words]`: sublinear TF-IDF of unit length.
    words: Vec<f32>,
    /// *Shape* `[rows, side]`: present theme, the one before, shares so far, position.
    side: Vec<f32>,
    origins: Vec<(usize, i32)>,
}

fn rows(stories: &[Story], vocabulary: &Vocabulary, themes: usize) -> TextRows {
    let mut out = TextRows { words: Vec::new(), side: Vec::new(), origins: Vec::new() };
    for (number, story) in stories.iter().enumerate() {
        let mut counts = vec![0.0; vocabulary.len()];
        vocabulary.count(&story.prompt, &mut counts);
        for segment in -1..story.chain.len() as i32 {
            if let Some(text) = usize::try_from(segment).ok().and_then(|at| story.segments.get(at))
            {
                vocabulary.count(text, &mut counts);
            }
            let start = out.words.len();
            let weigh =
                |(n, rarity): (&f32, &f32)| if *n > 0.0 { (1.0 + n.ln()) * rarity } else { 0.0 };
            out.words.extend(counts.iter().zip(&vocabulary.rarity).map(weigh));
            let row = &mut out.words[start..];
            let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            row.iter_mut().for_each(|x| *x /= norm);
            side(&story.chain, segment, themes, &mut out.side);
            out.origins.push((number, segment));
        }
    }
    out
}

/// How many columns [`side`] writes.
fn side_width(themes: usize) -> usize {
    3 * themes + 2
}

fn side(chain: &[u32], segment: i32, themes: usize, into: &mut Vec<f32>) {
    let start = into.len();
    into.resize(start + side_width(themes), 0.0);
    let row = &mut into[start..];
    let read = usize::try_from(segment + 1).unwrap_or(0);
    for (block, theme) in chain[..read].iter().rev().take(2).enumerate() {
        row[block * themes + *theme as usize] = 1.0;
    }
    for theme in &chain[..read] {
        row[2 * themes + *theme as usize] += 1.0 / read as f32;
    }
    row[3 * themes] = (read as f32).ln_1p();
    row[3 * themes + 1] = if read == 0 { 1.0 } else { 0.0 };
}

/// Fits a head for each of `horizons` and forecasts every row of `test`.
///
/// The answer: per number of segments ahead, *shape* `[rows, themes]`, rows in the order of the
/// stories and, in each, the prompt's end and then each boundary.
///
/// # Errors
/// [`crate::LabError::Fit`].
pub(super) fn forecasts(
    [train, validation, test]: [&[Story]; 3],
    themes: usize,
    horizons: usize,
    (words, steps): (usize, u64),
) -> Result<Vec<Vec<f32>>> {
    let vocabulary = Vocabulary::new(train, words);
    let width = vocabulary.len() + side_width(themes);
    let [mut a, mut b, mut c] =
        [train, validation, test].map(|stories| rows(stories, &vocabulary, themes));
    let scaler = Scaler::measure(&a.side, side_width(themes));
    for rows in [&mut a, &mut b, &mut c] {
        scaler.apply(&mut rows.side);
    }
    let mut best: Vec<Option<(f32, Vec<f32>)>> = vec![None; horizons];
    for scale in SCALES {
        let scale = scale * (vocabulary.len() as f32).sqrt();
        let [a_matrix, b_matrix, c_matrix] =
            [&a, &b, &c].map(|rows| matrix(rows, vocabulary.len(), width, scale));
        let (a_matrix, b_matrix, c_matrix) = (a_matrix?, b_matrix?, c_matrix?);
        let fit = |ahead: usize| -> Result<(f32, Vec<f32>)> {
            let (on, by) = (targets(&a, train, ahead), targets(&b, validation, ahead));
            let on = Sample { rows: &a_matrix, targets: &on };
            let by = Sample { rows: &b_matrix, targets: &by };
            let head = head::fit(on, by, themes, None, steps)?;
            let mut forecasts = c_matrix.logits(&head.weights)?;
            for forecast in forecasts.chunks_exact_mut(themes) {
                forecast.iter_mut().for_each(|logit| *logit /= head.temperature);
                softmax(forecast);
            }
            Ok((head.validation_nats, forecasts))
        };
        let fitted: Vec<_> = (1..=horizons).into_par_iter().map(fit).collect::<Result<_>>()?;
        for (best, found) in best.iter_mut().zip(fitted) {
            if best.as_ref().is_none_or(|(nats, _)| found.0 < *nats) {
                *best = Some(found);
            }
        }
    }
    Ok(best
        .into_iter()
        .map(|best| best.map(|(_, forecasts)| forecasts).unwrap_or_default())
        .collect())
}

fn targets(rows: &TextRows, stories: &[Story], ahead: usize) -> Vec<Option<u32>> {
    let one = |&(story, segment): &(usize, i32)| target(&stories[story].chain, segment, ahead);
    rows.origins.iter().map(one).collect()
}

fn matrix(rows: &TextRows, words: usize, width: usize, scale: f32) -> Result<Matrix> {
    let side = width - words;
    let mut values = Vec::with_capacity(rows.origins.len() * width);
    for row in 0..rows.origins.len() {
        values.extend(rows.words[row * words..(row + 1) * words].iter().map(|x| x * scale));
        values.extend_from_slice(&rows.side[row * side..(row + 1) * side]);
    }
    Matrix::new(values, width)
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 1)
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_names_the_next_theme_is_understood() {
        let story = |number: usize| {
            let chain: Vec<u32> =
                (0..5).map(|x| ((number * 7 + x * x * number) % 3) as u32).collect();
            let next =
                |place: usize| ["red", "green", "blue"][chain[place + 1] as usize].to_owned();
            let segments = (0..4).map(|place| format!("Next comes {}.", next(place)));
            let segments = segments.chain(["The end.".to_owned()]).collect();
            Story { prompt: "Go".into(), segments, chain: chain.into() }
        };
        let stories: Vec<Story> = (0..60).map(story).collect();
        let [train, validation, test] = [&stories[..40], &stories[40..50], &stories[50..]];
        let forecasts = forecasts([train, validation, test], 3, 2, (100, 100)).unwrap();
        assert_eq!(forecasts.len(), 2);
        assert_eq!(forecasts[0].len(), 10 * 6 * 3);
        // After the first segment the text has one colour: that of the next.
        let row = &forecasts[0][3..6];
        let next = test[0].chain[1] as usize;
        assert!(row.iter().all(|&p| p <= row[next]), "{row:?}, {next}");
    }
}
