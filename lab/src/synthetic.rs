//! Made-up collections for tests.

use crate::{
    Result, Split,
    dataset::{COLLECTION_FORMAT, CollectionInfo, Document, PartWriter, Shard, TokenRow, to_half},
    label::{Labeler, Labeling, Segment},
};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use std::path::Path;
use themecast_forecast::{bundle::Theme, segment::SegmenterConfig};
use themecast_plugin_api::{ModelInfo, Site};

/// A collection of two sites with this hidden size.
pub(crate) fn collection_info(hidden_size: usize) -> CollectionInfo {
    CollectionInfo {
        format: COLLECTION_FORMAT,
        model: ModelInfo {
            architecture: "llama".into(),
            hidden_size,
            layers: 4,
            vocabulary_size: 100,
            tokenizer_sha256: "00".into(),
            quantization: "F32".into(),
        },
        model_name: "made-up".into(),
        sites: vec![Site::LayerIn(2), Site::Final],
        samples: 2,
        max_tokens: 300,
        temperature: 0.7,
        seed: 1,
        segmenter: SegmenterConfig { min_chars: 20, max_chars: 400 },
        intervention: None,
        systems_sha256: None,
    }
}

/// The words of each made-up theme.
pub(crate) const WORDS: [[&str; 3]; 4] = [
    ["flour", "sugar", "butter"],
    ["ocean", "vessel", "harbour"],
    ["planet", "comet", "galaxy"],
    ["violin", "sonata", "orchestra"],
];

/// Size of a made-up collection.
pub(crate) struct Plan {
    pub(crate) documents: usize,
    pub(crate) segments: usize,
    pub(crate) tokens: usize,
    pub(crate) hidden: usize,
}

/// What the end-to-end tests use.
pub(crate) const SMALL: Plan = Plan { documents: 60, segments: 8, tokens: 6, hidden: 12 };

/// Writes a collection whose residuals carry the present and the next theme, linearly and with
/// noise. Themes follow each other at random: only the residual knows the next one.
pub(crate) fn write(dir: &Path, plan: &Plan) {
    let info = collection_info(plan.hidden);
    info.save(dir).unwrap();
    let mut writer = PartWriter::new(dir, Shard::WHOLE, &info).unwrap();
    let documents: Vec<_> = (0..plan.documents).map(|number| document(number, plan)).collect();
    for part in documents.chunks(16) {
        writer.write(part).unwrap();
    }
}

fn document(number: usize, plan: &Plan) -> Document {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(number as u64 + 77);
    let chain: Vec<usize> = (0..=plan.segments).map(|_| random.next_u64() as usize % 4).collect();
    let mut tokens = vec![TokenRow {
        index: -1,
        segment: -1,
        position: 9,
        residuals: Some(residuals(None, chain[0], plan.hidden, &mut random)),
        ..TokenRow::default()
    }];
    for segment in 0..plan.segments {
        for place in 0..plan.tokens {
            let index = segment * plan.tokens + place;
            let word = WORDS[chain[segment]][random.next_u64() as usize % 3];
            let last = place + 1 == plan.tokens;
            let row = residuals(Some(chain[segment]), chain[segment + 1], plan.hidden, &mut random);
            tokens.push(TokenRow {
                index: index as i32,
                token: index as u32 % 100,
                text: if last { format!(" {word}.") } else { format!(" {word}") },
                position: 10 + index as u32,
                segment: segment as i32,
                segment_end: last,
                residuals: (index + 1 < plan.segments * plan.tokens).then_some(row),
            });
        }
    }
    let split = match number % 5 {
        0 => Split::Test,
        1 => Split::Validation,
        _ => Split::Train,
    };
    let prompt_id = format!("p{number}");
    Document {
        id: Document::id_of(&prompt_id, 0),
        prompt: "Write something.".into(),
        split: Some(split.to_string()),
        text: tokens.iter().map(|row| row.text.as_str()).collect(),
        finish_reason: "length".into(),
        looping: number == 7,
        prompt_id,
        tokens,
        ..Document::default()
    }
}

fn residuals(
    now: Option<usize>,
    next: usize,
    hidden: usize,
    random: &mut Xoshiro256PlusPlus,
) -> Vec<half::f16> {
    let mut values: Vec<f32> = (0..2 * hidden)
        .map(|_| (0..4).map(|_| (random.next_u64() % 1000) as f32 / 1000.0 - 0.5).sum())
        .collect();
    if let Some(now) = now {
        values[hidden + now] += 3.0;
    }
    values[hidden + 4 + next] += 2.5;
    to_half(&values)
}

/// Labels made-up segments by their words.
pub(crate) struct ByWord;

impl Labeler for ByWord {
    fn method(&self) -> &str {
        "by-word"
    }

    fn parameters(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn label(&self, segments: &[Segment], _progress: &dyn Fn(&str)) -> Result<Labeling> {
        let theme = |segment: &Segment| {
            let has = |words: &[&str; 3]| words.iter().any(|word| segment.text.contains(word));
            WORDS.iter().position(has).unwrap_or(0) as u32
        };
        let assigned: Vec<u32> = segments.iter().map(theme).collect();
        let share = |theme: u32| {
            let count = assigned.iter().filter(|&&one| one == theme).count();
            count as f32 / assigned.len() as f32
        };
        let themes = WORDS.iter().enumerate().map(|(place, words)| Theme {
            id: words[0].into(),
            name: words.join(", "),
            description: String::new(),
            share: share(place as u32),
        });
        Ok(Labeling {
            themes: themes.collect(),
            distances: vec![0.0; assigned.len()],
            assigned,
            agreement: None,
        })
    }
}

/// Embeds a text as which of the themes' words it has.
pub(crate) struct WordEmbedder;

impl crate::embed::Embed for WordEmbedder {
    fn embed(&self, texts: &[String], progress: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
        progress(texts.len(), texts.len());
        let vector = |text: &String| -> Vec<f32> {
            let counts: Vec<f32> =
                WORDS.as_flattened().iter().map(|word| text.matches(word).count() as f32).collect();
            let norm = counts.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            counts.into_iter().map(|x| x / norm).collect()
        };
        Ok(texts.iter().map(vector).collect())
    }
}
