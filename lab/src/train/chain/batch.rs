//! Documents as sequences of tokens: boundaries, moments between them, and the themes that came.
//!
//! In one document's sequence every boundary and every drawn moment is a *present* token, followed
//! by the `<theme>` tokens of the segments that came. A boundary is seen by all later presents; a
//! moment and the themes are seen only by what hangs on them. So one pass trains every present and
//! every chain of the document at once.

use crate::train::{
    rows::{Origin, Rows},
    scaler::Scaler,
};
use candle_core::{Device, Tensor};
use std::{collections::HashMap, ops::Range, sync::Arc};
use themecast_forecast::{features::FeatureLayout, linear::RowKind};

/// The most pairs of tokens that a batch's attention looks at, over all of its documents: some 16 MB a
/// head and layer. Answers of 256 tokens stay below a quarter of it.
const ATTENTION: usize = 4 << 20;

/// A present token: a moment that forecasts are made at.
#[derive(Debug, Clone)]
pub(super) struct Present {
    pub(super) kind: RowKind,
    /// How many boundaries came before it.
    pub(super) place: usize,
    /// Its row among the scaled rows of its kind.
    row: usize,
    /// The themes of the segment that is being written and of those after it, as far as they came.
    pub(super) came: Vec<Option<u32>>,
}

/// One document.
#[derive(Debug, Default)]
struct Story {
    boundaries: Vec<Present>,
    moments: Vec<Present>,
}

/// The documents of a split.
pub(super) struct Stories {
    pub(super) horizons: usize,
    pub(super) themes: usize,
    features: usize,
    /// Scaled rows at boundaries and between them.
    rows: [Vec<f32>; 2],
    raw: [Vec<f32>; 2],
    stories: Vec<Story>,
}

/// Documents as tensors; `L` is the longest one's number of tokens.
pub(super) struct Batch {
    /// Rows of the present tokens, *shape* `[presents, features]`.
    pub(super) rows: Tensor,
    /// For each of the batch's `[documents × L]` tokens: its row among the rows, then its `<theme>`,
    /// then nothing: indices into the table of all of them.
    pub(super) tokens: Tensor,
    /// Of each token: 0 boundary, 1 moment, 2 other.
    pub(super) kinds: Tensor,
    /// Of each present, the place of its boundary.
    pub(super) places: Tensor,
    /// Of each `<theme>` token its place in the chain; 0 for others.
    pub(super) steps: Tensor,
    /// 0 where a token may look, −1e9 elsewhere, *shape* `[documents, 1, L, L]`.
    pub(super) mask: Tensor,
    pub(super) documents: usize,
    pub(super) length: usize,
    /// Tokens and classes for each offset of a present.
    pub(super) marginal: Vec<Targets>,
    /// Tokens and classes after each `<theme>` token, by place in the chain.
    pub(super) next: Vec<Targets>,
    /// The presents, in the order of their rows.
    pub(super) presents: Vec<Present>,
}

/// Places in the flattened tokens of a batch, and what came there.
#[derive(Debug, Default, Clone)]
pub(super) struct Targets {
    pub(super) at: Vec<u32>,
    pub(super) came: Vec<u32>,
    /// Of each, the number of its present in the batch.
    pub(super) present: Vec<usize>,
}

impl Stories {
    pub(super) fn new(
        boundary: &Rows,
        mid: &Rows,
        layout: FeatureLayout,
        horizons: usize,
        scaler: &Scaler,
    ) -> Self {
        let mut stories: Vec<Story> = Vec::new();
        let mut numbers: HashMap<*const u32, usize> = HashMap::new();
        let mut add = |origins: &[Origin], kind: RowKind| {
            for (row, origin) in origins.iter().enumerate() {
                let number =
                    *numbers.entry(Arc::as_ptr(&origin.chain).cast()).or_insert_with(|| {
                        stories.push(Story::default());
                        stories.len() - 1
                    });
                let first = i32::from(kind == RowKind::Boundary);
                let came = (0..=horizons as i32)
                    .map(|ahead| {
                        let place = usize::try_from(origin.segment + first + ahead).ok()?;
                        origin.chain.get(place).copied()
                    })
                    .collect();
                let present = |place| Present { kind, place, row, came };
                let story = &mut stories[number];
                match kind {
                    RowKind::Boundary => story.boundaries.push(present(story.boundaries.len())),
                    RowKind::Mid => {
                        // The prompt's end is the boundary before segment 0.
                        let before = usize::try_from(origin.segment + 1).unwrap_or(0);
                        story.moments.push(present(before));
                    }
                }
            }
        };
        add(&boundary.origins, RowKind::Boundary);
        add(&mid.origins, RowKind::Mid);
        let scaled = |values: &[f32]| {
            let mut values = values.to_vec();
            scaler.apply(&mut values);
            values
        };
        Self {
            horizons,
            themes: layout.themes,
            features: layout.len(),
            rows: [scaled(&boundary.values), scaled(&mid.values)],
            raw: [boundary.values.clone(), mid.values.clone()],
            stories,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.stories.len()
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// The raw row of a present.
    pub(super) fn raw(&self, present: &Present) -> &[f32] {
        let rows = &self.raw[usize::from(present.kind == RowKind::Mid)];
        &rows[present.row * self.features..(present.row + 1) * self.features]
    }

    fn scaled(&self, present: &Present) -> &[f32] {
        let rows = &self.rows[usize::from(present.kind == RowKind::Mid)];
        &rows[present.row * self.features..(present.row + 1) * self.features]
    }

    /// `numbers` in batches of at most `most` documents, fewer where long ones would take too much
    /// memory for attention, which looks from every token of a batch's longest document at every other.
    pub(super) fn batches<'n>(&self, numbers: &'n [usize], most: usize) -> Vec<&'n [usize]> {
        let lengths: Vec<usize> = numbers.iter().map(|&number| self.tokens(number)).collect();
        runs(&lengths, most, ATTENTION).into_iter().map(|run| &numbers[run]).collect()
    }

    /// How many tokens [`Layout::document`] makes of the document `number`.
    pub(super) fn tokens(&self, number: usize) -> usize {
        let Story { boundaries, moments } = &self.stories[number];
        let known = |present: &Present, step: usize| present.came[step].is_some();
        let themes = |present: &Present| {
            let both = |step: &usize| known(present, *step) && known(present, step + 1);
            (0..self.horizons).take_while(both).count()
        };
        boundaries.iter().chain(moments).map(|present| 1 + themes(present)).sum()
    }

    /// The documents `numbers` as tensors.
    ///
    /// # Errors
    /// candle's.
    pub(super) fn batch(&self, numbers: &[usize], places: usize) -> candle_core::Result<Batch> {
        let mut layout = Layout::new(self);
        for &number in numbers {
            layout.document(&self.stories[number]);
        }
        layout.tensors(numbers.len(), places)
    }
}

/// Runs of at most `most` documents whose number times the square of the longest length stays within
/// `attention`; a longer document is a run of its own.
pub(super) fn runs(lengths: &[usize], most: usize, attention: usize) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut longest = 0;
    for (at, &length) in lengths.iter().enumerate() {
        let fits = |run: &&mut Range<usize>| {
            let (documents, length) = (run.len() + 1, longest.max(length));
            documents <= most && documents * length * length <= attention
        };
        match runs.last_mut().filter(fits) {
            Some(run) => (run.end, longest) = (at + 1, longest.max(length)),
            None => {
                runs.push(at..at + 1);
                longest = length;
            }
        }
    }
    runs
}

/// One token on its way into a batch.
#[derive(Clone, Copy)]
enum Token {
    /// The present with this number in the batch.
    Present(usize),
    /// A theme, its place in the chain, and the present it hangs on.
    Theme(u32, usize),
}

/// A batch being laid out.
struct Layout<'a> {
    stories: &'a Stories,
    documents: Vec<Vec<(Token, Vec<usize>)>>,
    presents: Vec<Present>,
}

impl<'a> Layout<'a> {
    fn new(stories: &'a Stories) -> Self {
        Self { stories, documents: Vec::new(), presents: Vec::new() }
    }

    /// Lays one document out: each token with the places of those it may look at.
    fn document(&mut self, story: &Story) {
        let mut tokens: Vec<(Token, Vec<usize>)> = Vec::new();
        let mut boundaries: Vec<usize> = Vec::new();
        let mut hang = |present: &Present,
                        seen: &[usize],
                        tokens: &mut Vec<(Token, Vec<usize>)>| {
            let own = tokens.len();
            let mut seen = [seen, &[own]].concat();
            tokens.push((Token::Present(self.presents.len()), seen.clone()));
            self.presents.push(present.clone());
            for step in 0..self.stories.horizons {
                let (Some(theme), Some(_)) = (present.came[step], present.came[step + 1]) else {
                    break;
                };
                seen.push(tokens.len());
                tokens.push((Token::Theme(theme, step), seen.clone()));
            }
            own
        };
        for (place, present) in story.boundaries.iter().enumerate() {
            let own = hang(present, &boundaries, &mut tokens);
            boundaries.push(own);
            for moment in story.moments.iter().filter(|moment| moment.place == place + 1) {
                hang(moment, &boundaries, &mut tokens);
            }
        }
        self.documents.push(tokens);
    }

    fn tensors(self, documents: usize, places: usize) -> candle_core::Result<Batch> {
        let device = &Device::Cpu;
        let length = self.documents.iter().map(Vec::len).max().unwrap_or(1);
        let presents = self.presents.len();
        let (themes, horizons) = (self.stories.themes, self.stories.horizons);
        let nothing = (presents + themes) as u32;
        let mut tokens = vec![nothing; documents * length];
        let (mut kinds, mut steps) =
            (vec![2u32; tokens.len()], vec![horizons as u32; tokens.len()]);
        let mut place = vec![places as u32; tokens.len()];
        let mut mask = vec![-1e9f32; documents * length * length];
        let mut marginal = vec![Targets::default(); horizons + 1];
        let mut next = vec![Targets::default(); horizons];
        let mut last = 0;
        for (number, document) in self.documents.iter().enumerate() {
            for (at, (token, seen)) in document.iter().enumerate() {
                let flat = number * length + at;
                seen.iter().for_each(|&seen| mask[flat * length + seen] = 0.0);
                match *token {
                    Token::Present(present) => {
                        last = present;
                        let one = &self.presents[present];
                        tokens[flat] = present as u32;
                        kinds[flat] = u32::from(one.kind == RowKind::Mid);
                        place[flat] = one.place.min(places - 1) as u32;
                        for (targets, came) in marginal.iter_mut().zip(&one.came) {
                            targets.add(flat, *came, present);
                        }
                    }
                    Token::Theme(theme, step) => {
                        tokens[flat] = presents as u32 + theme;
                        steps[flat] = step as u32;
                        next[step].add(flat, self.presents[last].came[step + 1], last);
                    }
                }
            }
            // Padding looks at itself, so that no row of the mask is empty.
            for at in document.len()..length {
                mask[(number * length + at) * length + at] = 0.0;
            }
        }
        let rows = self.presents.iter().flat_map(|one| self.stories.scaled(one)).copied();
        let rows: Vec<f32> = rows.collect();
        Ok(Batch {
            rows: Tensor::from_vec(rows, (presents, self.stories.features), device)?,
            tokens: Tensor::new(tokens, device)?,
            kinds: Tensor::new(kinds, device)?,
            places: Tensor::new(place, device)?,
            steps: Tensor::new(steps, device)?,
            mask: Tensor::from_vec(mask, (documents, 1, length, length), device)?,
            documents,
            length,
            marginal,
            next,
            presents: self.presents,
        })
    }
}

impl Targets {
    fn add(&mut self, at: usize, came: Option<u32>, present: usize) {
        if let Some(came) = came {
            self.at.push(at as u32);
            self.came.push(came);
            self.present.push(present);
        }
    }
}
