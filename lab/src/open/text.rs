//! What the text alone tells: rows of sentence embeddings of the prompt and the text so far.

use super::{
    blocks::block,
    corpus::{Corpus, Origin, RowSet},
};
use ndarray::{Array2, ArrayView1};

/// Features that tell the position.
const POSITION: usize = 2;

/// One row for each moment of `set`: the embeddings of the prompt, of the segment that was read
/// last and of the one before, the mean of all so far, and the position; *shape*
/// `[rows, 4 × dimension + 2]`. `prompts` has a row for each answer.
pub(super) fn rows(corpus: &Corpus, set: &RowSet, prompts: &Array2<f32>) -> Array2<f32> {
    let dimension = corpus.embeddings.ncols();
    let mut rows = Array2::zeros((set.origins.len(), 4 * dimension + POSITION));
    for (mut row, &origin) in rows.rows_mut().into_iter().zip(&set.origins) {
        let mut put = |number: usize, values: ArrayView1<'_, f32>| {
            let places = number * dimension..(number + 1) * dimension;
            places.zip(values).for_each(|(place, value)| row[place] = *value);
        };
        put(0, prompts.row(origin.answer));
        if let Some(last) = segment(corpus, origin, 0) {
            put(1, corpus.embeddings.row(last));
            let first = corpus.answers[origin.answer].first;
            let so_far = block(corpus.embeddings.view(), first..last + 1, 0..dimension);
            if let Some(mean) = so_far.mean_axis(ndarray::Axis(0)) {
                put(3, mean.view());
            }
        }
        if let Some(before) = segment(corpus, origin, 1) {
            put(2, corpus.embeddings.row(before));
        }
        row[4 * dimension] = ((origin.segment + 1) as f32).ln_1p();
        row[4 * dimension + 1] = if origin.segment < 0 { 1.0 } else { 0.0 };
    }
    rows
}

/// The place of the segment `back` segments before the one read last.
fn segment(corpus: &Corpus, origin: Origin, back: i32) -> Option<usize> {
    let segment = usize::try_from(origin.segment - back).ok()?;
    Some(corpus.answers[origin.answer].first + segment)
}
