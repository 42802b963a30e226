//! What the text alone tells: rows of sentence embeddings of the prompt and the text so far.
//!
//! Within a segment that is what was read of it and no more.

use super::{
    blocks::block,
    corpus::{Corpus, Origin, Read, RowSet},
};
use ndarray::{Array1, Array2, ArrayView1, Axis};

/// Features that tell the position: those that ours has.
const POSITION: usize = 4;

/// One row for each moment of `set`: the embeddings of the prompt, of the segment that was read
/// last and of the one before, the mean of all so far, and the position; *shape*
/// `[rows, 4 × dimension + 4]`. `prompts` has a row for each answer. Within segments, what was read
/// of the one that has begun is the last of them.
pub(super) fn rows(corpus: &Corpus, set: &RowSet, prompts: &Array2<f32>) -> Array2<f32> {
    let dimension = corpus.embeddings.ncols();
    let mut rows = Array2::zeros((set.origins.len(), 4 * dimension + POSITION));
    for (at, (mut row, &origin)) in rows.rows_mut().into_iter().zip(&set.origins).enumerate() {
        let mut put = |number: usize, values: ArrayView1<'_, f32>| {
            let places = number * dimension..(number + 1) * dimension;
            places.zip(values).for_each(|(place, value)| row[place] = *value);
        };
        put(0, prompts.row(origin.answer));
        if let Some(last) = last(corpus, set, at) {
            put(1, last);
            put(3, mean(corpus, origin, last).view());
        }
        if let Some(before) = segment(corpus, origin, 1) {
            put(2, corpus.embeddings.row(before));
        }
        // Where nothing is known of themes and text, the position stands last.
        let own = set.rows.row(at);
        let position = own.iter().skip(own.len().saturating_sub(POSITION));
        (4 * dimension..).zip(position).for_each(|(place, value)| row[place] = *value);
    }
    rows
}

/// The embedding of the segment that was read last at row `at`, up to its token.
pub(super) fn last<'c>(
    corpus: &'c Corpus,
    set: &'c RowSet,
    at: usize,
) -> Option<ArrayView1<'c, f32>> {
    match &set.read {
        Read::Begun(begun) => Some(begun.row(at)),
        Read::Whole => {
            segment(corpus, set.origins[at], 0).map(|place| corpus.embeddings.row(place))
        }
        Read::Unknown => None,
    }
}

/// The mean embedding of the segments before that of `origin` and of what was read of that, `last`.
fn mean(corpus: &Corpus, origin: Origin, last: ArrayView1<'_, f32>) -> Array1<f32> {
    let first = corpus.answers[origin.answer].first;
    let before = segment(corpus, origin, 1).map_or(first, |place| place + 1);
    let so_far = block(corpus.embeddings.view(), first..before, 0..last.len());
    (so_far.sum_axis(Axis(0)) + last) / (so_far.nrows() + 1) as f32
}

/// The place of the segment `back` segments before the one read last.
fn segment(corpus: &Corpus, origin: Origin, back: i32) -> Option<usize> {
    let segment = usize::try_from(origin.segment - back).ok()?;
    Some(corpus.answers[origin.answer].first + segment)
}
