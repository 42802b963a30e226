//! What a text model sees of a moment: embeddings or words of the text so far, the themes so far.
//!
//! Only columns are made here; [`super::fit`] fits them.

use super::{
    embeddings::Embeddings,
    events::{Event, Place, Story},
};
use std::collections::{HashMap, HashSet};

/// A vocabulary with inverse document frequencies, from the training split.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    places: HashMap<String, usize>,
    rarity: Vec<f32>,
    /// The words of each story: its prompt, then each segment.
    stories: Vec<Vec<Vec<usize>>>,
}

impl Vocabulary {
    /// The `size` words that the most of the stories numbered `train` have, of those that at
    /// least two have.
    pub(crate) fn new(stories: &[Story], train: &HashSet<usize>, size: usize) -> Self {
        let mut documents: HashMap<String, usize> = HashMap::new();
        for story in train.iter().filter_map(|&number| stories.get(number)) {
            let texts = story.segments.iter().chain([&story.prompt]);
            let unique: HashSet<String> = texts.flat_map(|text| words(text)).collect();
            for word in unique {
                *documents.entry(word).or_default() += 1;
            }
        }
        let mut common: Vec<_> = documents.into_iter().filter(|&(_, count)| count > 1).collect();
        common.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        common.truncate(size);
        let all = train.len() as f32;
        let rarity =
            common.iter().map(|&(_, n)| ((1.0 + all) / (1.0 + n as f32)).ln() + 1.0).collect();
        let places =
            common.into_iter().enumerate().map(|(place, (word, _))| (word, place)).collect();
        let mut vocabulary = Self { places, rarity, stories: Vec::new() };
        let read = |story: &Story| {
            let texts = std::iter::once(&story.prompt).chain(&story.segments);
            texts.map(|text| vocabulary.places_of(text).collect()).collect()
        };
        vocabulary.stories = stories.iter().map(read).collect();
        vocabulary
    }

    /// How many words it has.
    pub(crate) fn len(&self) -> usize {
        self.rarity.len()
    }

    fn places_of(&self, text: &str) -> impl Iterator<Item = usize> {
        words(text).filter_map(|word| self.places.get(&word).copied())
    }

    /// Appends the sublinear TF-IDF of all the text so far, of length √words so that a column
    /// weighs about as much as a z-scored one.
    pub(crate) fn write(&self, event: &Event, out: &mut Vec<f32>) {
        let start = out.len();
        out.resize(start + self.len(), 0.0);
        let row = &mut out[start..];
        let read = self.stories[event.story].iter().take(event.ended() + 1);
        for place in read.flatten().copied().chain(self.places_of(&event.partial)) {
            row[place] += 1.0;
        }
        for (x, rarity) in row.iter_mut().zip(&self.rarity).filter(|(x, _)| **x > 0.0) {
            *x = (1.0 + x.ln()) * rarity;
        }
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
        let scale = (self.len() as f32).sqrt() / norm;
        row.iter_mut().for_each(|x| *x *= scale);
    }
}

/// How many columns [`write_embeddings`] writes.
pub(crate) fn embedding_width(embeddings: &Embeddings) -> usize {
    5 * embeddings.dimension()
}

/// Appends the embeddings of the text so far: the mean of all segments, an unfinished one
/// included; the last segment that ended; the unfinished one (or the last one again); the prompt;
/// the prompt once more, at its end alone.
///
/// At the prompt's end the prompt stands in for the others, as its residual does in our features.
/// The last block lets the regression weigh it differently there than later, when there is text
/// that tells more: without it a text model is no fair match at the prompt's end.
pub(crate) fn write_embeddings(
    event: &Event,
    stories: &[Story],
    embeddings: &Embeddings,
    out: &mut Vec<f32>,
) {
    let dimension = embeddings.dimension();
    let story = &stories[event.story];
    let start = out.len();
    out.resize(start + 5 * dimension, 0.0);
    let row = &mut out[start..];
    let ended = story.segments.iter().take(event.ended()).map(String::as_str);
    let partial = (!event.partial.is_empty()).then_some(event.partial.as_str());
    let alone = event.place == Place::PromptEnd;
    let prompt = alone.then_some(story.prompt.as_str());
    let texts = ended.chain(partial).chain(prompt);
    let read: Vec<&[f32]> = texts.filter_map(|text| embeddings.get(text)).collect();
    for vector in &read {
        row.iter_mut().zip(*vector).for_each(|(sum, x)| *sum += x / read.len() as f32);
    }
    let mut put = |block: usize, vector: Option<&[f32]>| {
        if let Some(vector) = vector {
            row[block * dimension..(block + 1) * dimension].copy_from_slice(vector);
        }
    };
    let last = event.ended().checked_sub(1).and_then(|last| story.segments.get(last));
    put(1, last.map(String::as_str).or(prompt).and_then(|text| embeddings.get(text)));
    put(2, read.last().copied());
    put(3, embeddings.get(&story.prompt));
    put(4, prompt.and_then(|text| embeddings.get(text)));
}

/// How many columns [`write_layout`] writes.
pub(crate) const LAYOUT_WIDTH: usize = 2 * LAYOUT.len();

/// What a text looks like.
const LAYOUT: [fn(&str) -> f32; 8] = [
    |text| (text.chars().count() as f32).ln_1p(),
    |text| (text.lines().count() as f32).ln_1p(),
    |text| share(text, |c| c.is_ascii_digit()),
    |text| share(text, |c| c.is_uppercase()),
    |text| {
        let item = |line: &&str| line.trim_start().starts_with(['-', '*', '•', '#']);
        text.lines().filter(item).count() as f32
    },
    |text| {
        let item = |line: &&str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        text.lines().filter(item).count() as f32
    },
    |text| f32::from(u8::from(text.trim_end().ends_with(':'))),
    |text| f32::from(u8::from(text.contains(['?', '!', '"']))),
];

fn share(text: &str, of: fn(char) -> bool) -> f32 {
    text.chars().filter(|&c| of(c)).count() as f32 / text.chars().count().max(1) as f32
}

/// Appends what the last two texts look like: of the segments that have ended and the unfinished
/// one; 0 where there are none.
pub(crate) fn write_layout(event: &Event, stories: &[Story], out: &mut Vec<f32>) {
    let ended = stories[event.story].segments.iter().take(event.ended()).map(String::as_str);
    let partial = (!event.partial.is_empty()).then_some(event.partial.as_str());
    let read: Vec<&str> = ended.chain(partial).collect();
    for back in 1..=2 {
        let text = read.len().checked_sub(back).map(|place| read[place]);
        out.extend(LAYOUT.iter().map(|measure| text.map_or(0.0, measure)));
    }
}

/// How many columns [`write_themes`] writes.
pub(crate) fn themes_width(themes: usize) -> usize {
    3 * themes + 5
}

/// Appends the true themes so far: present, the one before, shares; and the position, as a bundle's
/// features have it and in segments that have ended.
pub(crate) fn write_themes(event: &Event, themes: usize, out: &mut Vec<f32>) {
    let start = out.len();
    out.resize(start + themes_width(themes), 0.0);
    let row = &mut out[start..];
    let read = event.ended().min(event.chain.len());
    for (block, theme) in event.chain[..read].iter().rev().take(2).enumerate() {
        row[block * themes + *theme as usize] = 1.0;
    }
    for theme in &event.chain[..read] {
        row[2 * themes + *theme as usize] += 1.0 / read as f32;
    }
    row[3 * themes..3 * themes + 4].copy_from_slice(&event.position);
    row[3 * themes + 4] = read as f32 / 10.0;
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 1)
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::WordEmbedder;

    fn story() -> Story {
        Story {
            id: "a/0".into(),
            cluster: 0,
            group: String::new(),
            prompt: "Bake bread".into(),
            prompt_end: Vec::new(),
            segments: vec!["Take flour.".into(), "Take water.".into()],
        }
    }

    fn event(place: Place, segment: i32, partial: &str) -> Event {
        let (position, chain) = ([0.1, 0.2, 0.3, 0.4], [1, 0].into());
        Event { story: 0, place, segment, partial: partial.into(), position, chain }
    }

    #[test]
    fn nothing_beyond_the_moment_is_read() {
        let stories = vec![story(), story()];
        let vocabulary = Vocabulary::new(&stories, &[0, 1].into(), 10);
        let seen = |event: Event| {
            let mut row = Vec::new();
            vocabulary.write(&event, &mut row);
            let mut words: Vec<&str> = vocabulary
                .places
                .iter()
                .filter(|(_, place)| row[**place] > 0.0)
                .map(|(word, _)| word.as_str())
                .collect();
            words.sort_unstable();
            words.join(" ")
        };
        assert_eq!(seen(event(Place::PromptEnd, -1, "")), "bake bread");
        assert_eq!(seen(event(Place::Boundary, 0, "")), "bake bread flour take");
        let within = seen(event(Place::Within(4), 1, " Take wat"));
        assert_eq!(within, "bake bread flour take");
        assert_eq!(seen(event(Place::Boundary, 1, "")), "bake bread flour take water");
    }

    #[test]
    fn the_prompt_stands_in_until_there_is_text_and_nothing_beyond_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let texts = ["flour", "sugar", "butter", "ocean"];
        let cache = dir.path().join("embeddings.parquet");
        let known = texts.iter().copied().collect();
        let known = Embeddings::of(&known, &cache, &WordEmbedder, &|_| {}).unwrap();
        let segments = vec!["sugar".to_owned(), "ocean".to_owned()];
        let stories = vec![Story { prompt: "flour".into(), segments, ..story() }];
        // Each text is one axis: 0 the prompt, 1 the first segment, 2 the partial one, 3 the next.
        let blocks = |event: Event| {
            let mut row = Vec::new();
            write_embeddings(&event, &stories, &known, &mut row);
            assert_eq!(row.len(), embedding_width(&known));
            row.chunks(12).map(|block| block[..4].to_vec()).collect::<Vec<_>>()
        };
        let axis = |place: usize| (0..4).map(|x| f32::from(u8::from(x == place))).collect();
        let (prompt, first, partial): (Vec<f32>, Vec<f32>, Vec<f32>) = (axis(0), axis(1), axis(2));
        assert_eq!(blocks(event(Place::PromptEnd, -1, "")), vec![prompt.clone(); 5]);
        let zero = vec![0.0; 4];
        let boundary = [&first, &first, &first, &prompt, &zero].map(Clone::clone);
        assert_eq!(blocks(event(Place::Boundary, 0, "")), boundary);
        let mean = vec![0.0, 0.5, 0.5, 0.0];
        let within = [mean, first, partial, prompt, zero];
        assert_eq!(blocks(event(Place::Within(4), 1, "butter")), within);
    }

    #[test]
    fn the_layout_is_that_of_the_last_two_texts() {
        let segments = vec!["- one\n- two".to_owned(), "1. Why?".to_owned(), "later:".to_owned()];
        let stories = vec![Story { segments, ..story() }];
        let row = |event: Event| {
            let mut row = Vec::new();
            write_layout(&event, &stories, &mut row);
            assert_eq!(row.len(), LAYOUT_WIDTH);
            row
        };
        assert!(row(event(Place::PromptEnd, -1, "")).iter().all(|&x| x == 0.0));
        let two = row(event(Place::Boundary, 1, ""));
        assert_eq!((two[4], two[5], two[7]), (0.0, 1.0, 1.0), "the second: {two:?}");
        assert_eq!((two[8 + 4], two[8 + 5]), (2.0, 0.0), "the first: {two:?}");
        let within = row(event(Place::Within(4), 1, "and:"));
        assert_eq!((within[6], within[8 + 4]), (1.0, 2.0), "{within:?}");
    }

    #[test]
    fn themes_are_those_of_the_segments_that_ended() {
        let row = |event: Event| {
            let mut row = Vec::new();
            write_themes(&event, 2, &mut row);
            assert_eq!(row.len(), themes_width(2));
            row
        };
        assert_eq!(row(event(Place::PromptEnd, -1, ""))[..6], [0.0; 6]);
        assert_eq!(row(event(Place::Within(4), 1, "x"))[..6], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        let ended = row(event(Place::Boundary, 1, ""));
        assert_eq!(ended[..6], [1.0, 0.0, 0.0, 1.0, 0.5, 0.5]);
        assert_eq!(ended[6..], [0.1, 0.2, 0.3, 0.4, 0.2]);
    }
}
