//! What a predictor looks at: the residual, its running means, the themes so far, the position;
//! in bundles that read the text also its sentence embeddings.
//!
//! The same code builds the rows of training and of serving, one token at a time.

mod layer_norm;
mod layout;

pub use layout::FeatureLayout;

/// The features of one answer as it grows; a step costs `O(sites × hidden)`.
///
/// The order at a segment's end: [`observe`](Self::observe) its last token, [`write`](Self::write)
/// the row that classifies the segment, [`end_segment`](Self::end_segment) with the result, then
/// write the row that forecasts the next ones. The two rows differ in their history and in
/// nothing else: means and counts are still those of the segment that has ended, until the next
/// token. Heads of offset 0 have no weight on the history, so they may be trained on and given
/// either row.
#[derive(Debug, Clone)]
pub struct FeatureState {
    layout: FeatureLayout,
    /// The residuals of the last token, normalised where the layout says so.
    last: Vec<f32>,
    segment_mean: Vec<f32>,
    answer_mean: Vec<f32>,
    history: Vec<f32>,
    /// The mean embedding of the segments that have ended, the last one's, the prompt's.
    text: [Vec<f32>; 3],
    texts: usize,
    tokens: usize,
    segment_tokens: usize,
    /// Segments that have ended, the one that ended with the last token included.
    segments: usize,
    /// The last token has ended its segment.
    segment_ended: bool,
    prompt_seen: bool,
}

impl FeatureState {
    /// Before the prompt's end.
    pub fn new(layout: FeatureLayout) -> Self {
        let width = layout.residual().len();
        Self {
            layout,
            last: vec![0.0; width],
            segment_mean: vec![0.0; width],
            answer_mean: vec![0.0; width],
            history: vec![0.0; 3 * layout.themes],
            text: [(); 3].map(|()| vec![0.0; layout.text]),
            texts: 0,
            tokens: 0,
            segment_tokens: 0,
            segments: 0,
            segment_ended: false,
            prompt_seen: false,
        }
    }

    /// Where which features stand.
    pub fn layout(&self) -> FeatureLayout {
        self.layout
    }

    /// Takes the residuals (*shape* `[sites, hidden]`) of the prompt's end, then of each token.
    ///
    /// The prompt's end stands in for the means until the first token, and is in none of them.
    ///
    /// # Panics
    /// When there are not `sites × hidden` residuals.
    pub fn observe(&mut self, residuals: &[f32]) {
        self.last.copy_from_slice(residuals);
        if self.layout.layer_norm {
            self.last.chunks_exact_mut(self.layout.hidden).for_each(layer_norm::apply);
        }
        if !std::mem::replace(&mut self.prompt_seen, true) {
            self.segment_mean.copy_from_slice(&self.last);
            self.answer_mean.copy_from_slice(&self.last);
            return;
        }
        if std::mem::take(&mut self.segment_ended) {
            self.segment_tokens = 0;
        }
        self.tokens += 1;
        self.segment_tokens += 1;
        running_mean(&mut self.segment_mean, &self.last, self.segment_tokens);
        running_mean(&mut self.answer_mean, &self.last, self.tokens);
    }

    /// The residual of the last token at the last site as the features have it, *shape* `[hidden]`.
    pub fn last_site(&self) -> &[f32] {
        &self.last[self.last.len() - self.layout.hidden..]
    }

    /// Takes the embedding of the prompt, *shape* `[text]`.
    ///
    /// # Panics
    /// When it has another width.
    pub fn read_prompt(&mut self, embedding: &[f32]) {
        self.text.iter_mut().for_each(|block| block.copy_from_slice(embedding));
    }

    /// Takes the embedding of the segment that has ended with the last token, *shape* `[text]`:
    /// before the row that classifies it is written.
    ///
    /// # Panics
    /// When it has another width.
    pub fn read_segment(&mut self, embedding: &[f32]) {
        self.texts += 1;
        running_mean(&mut self.text[0], embedding, self.texts);
        self.text[1].copy_from_slice(embedding);
    }

    /// The segment has ended with the last token, and its themes have the probabilities `now`
    /// (*shape* `[themes]`).
    ///
    /// # Panics
    /// When `now` has not `themes` probabilities.
    pub fn end_segment(&mut self, now: &[f32]) {
        let themes = self.layout.themes;
        self.history.copy_within(0..themes, themes);
        self.history[..themes].copy_from_slice(now);
        self.segments += 1;
        running_mean(&mut self.history[2 * themes..], now, self.segments);
        self.segment_ended = true;
    }

    /// Writes the row of the present moment into `out`, *shape* `[layout.len()]`.
    pub fn write(&self, out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(&self.last);
        out.extend_from_slice(&self.segment_mean);
        out.extend_from_slice(&self.answer_mean);
        out.extend_from_slice(&self.history);
        let before = self.segments - usize::from(self.segment_ended);
        let counts = [self.tokens, before, self.segment_tokens];
        out.extend(counts.map(|count| (count as f32).ln_1p()));
        let at_prompt = if self.tokens == 0 { 1.0 } else { 0.0 };
        out.push(at_prompt);
        self.text.iter().for_each(|block| out.extend_from_slice(block));
        out.extend(self.text[2].iter().map(|x| at_prompt * x));
    }
}

/// Takes the `count`-th value into a mean of those before; the first one replaces it.
fn running_mean(mean: &mut [f32], value: &[f32], count: usize) {
    if count == 1 {
        mean.copy_from_slice(value); // exactly: what stood there before may be huge
        return;
    }
    let share = 1.0 / count as f32;
    for (mean, value) in mean.iter_mut().zip(value) {
        *mean += (value - *mean) * share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: FeatureLayout =
        FeatureLayout { hidden: 2, sites: 1, themes: 2, text: 0, layer_norm: false };

    fn row(state: &FeatureState) -> Vec<f32> {
        let mut out = Vec::new();
        state.write(&mut out);
        assert_eq!(out.len(), LAYOUT.len());
        out
    }

    #[test]
    fn the_prompts_end_stands_in_until_the_first_token() {
        let mut state = FeatureState::new(LAYOUT);
        state.observe(&[9.0, 9.0]);
        assert_eq!(row(&state)[LAYOUT.answer_mean()], [9.0, 9.0]);
        assert_eq!(row(&state)[LAYOUT.position()], [0.0, 0.0, 0.0, 1.0]);
        state.observe(&[1.0, 3.0]);
        assert_eq!(row(&state)[LAYOUT.answer_mean()], [1.0, 3.0]);
        assert_eq!(row(&state)[LAYOUT.position().end - 1], 0.0);
    }

    #[test]
    fn the_two_rows_of_a_segments_end_differ_in_their_history_alone() {
        let mut state = FeatureState::new(LAYOUT);
        for round in 1..4u8 {
            for token in 0..4u8 {
                state.observe(&[f32::from(token), f32::from(round)]);
            }
            let before = row(&state);
            state.end_segment(&[0.2 * f32::from(round), 0.6]);
            let after = row(&state);
            let history = LAYOUT.history();
            assert_ne!(before[history.clone()], after[history.clone()]);
            assert_eq!(before[..history.start], after[..history.start]);
            assert_eq!(before[history.end..], after[history.end..]);
        }
    }

    #[test]
    fn segments_are_counted_from_the_token_after_their_end() {
        let mut state = FeatureState::new(LAYOUT);
        let mut counts = Vec::new();
        for ends in [false, true, false, true] {
            state.observe(&[0.0, 0.0]);
            if ends {
                state.end_segment(&[1.0, 0.0]);
            }
            let count = row(&state)[LAYOUT.position().start + 1].exp_m1();
            counts.push(count.round());
        }
        assert_eq!(counts, [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn the_prompt_stands_in_for_text_until_a_segment_has_ended() {
        let layout = FeatureLayout { text: 1, ..LAYOUT };
        let mut state = FeatureState::new(layout);
        let text = |state: &FeatureState| {
            let mut out = Vec::new();
            state.write(&mut out);
            assert_eq!(out.len(), layout.len());
            out[layout.text()].to_vec()
        };
        state.read_prompt(&[8.0]);
        state.observe(&[0.0, 0.0]);
        assert_eq!(text(&state), [8.0, 8.0, 8.0, 8.0]);
        for embedding in [2.0, 4.0] {
            state.observe(&[0.0, 0.0]);
            state.read_segment(&[embedding]);
            state.end_segment(&[1.0, 0.0]);
        }
        assert_eq!(text(&state), [3.0, 4.0, 8.0, 0.0]);
    }

    #[test]
    fn with_layer_norm_means_are_of_normalised_residuals_site_by_site() {
        let layout = FeatureLayout { sites: 2, layer_norm: true, ..LAYOUT };
        let mut state = FeatureState::new(layout);
        for residuals in [[0.0; 4], [1.0, 3.0, 500.0, 300.0], [9.0, 1.0, 500.0, 300.0]] {
            state.observe(&residuals);
        }
        let mut row = Vec::new();
        state.write(&mut row);
        let near = |found: &[f32], wanted: [f32; 4]| {
            assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?}");
        };
        near(&row[layout.residual()], [1.0, -1.0, 1.0, -1.0]);
        near(&row[layout.answer_mean()], [0.0, 0.0, 1.0, -1.0]);
        assert_eq!(state.last_site(), &row[2..4]);
    }

    #[test]
    fn a_huge_prompt_residual_leaves_no_trace_in_the_means() {
        let mut state = FeatureState::new(LAYOUT);
        state.observe(&[1e30, -1e30]);
        state.observe(&[0.5, 0.25]);
        assert_eq!(row(&state)[LAYOUT.answer_mean()], [0.5, 0.25]);
    }

    #[test]
    fn means_are_of_the_ended_segment_until_the_next_token() {
        let mut state = FeatureState::new(LAYOUT);
        for residual in [[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]] {
            state.observe(&residual);
        }
        state.end_segment(&[0.25, 0.75]);
        assert_eq!(row(&state)[LAYOUT.segment_mean()], [2.0, 0.0]);
        assert_eq!(row(&state)[LAYOUT.history()], [0.25, 0.75, 0.0, 0.0, 0.25, 0.75]);
        state.observe(&[7.0, 0.0]);
        assert_eq!(row(&state)[LAYOUT.segment_mean()], [7.0, 0.0]);
        assert!((row(&state)[LAYOUT.answer_mean().start] - 11.0 / 3.0).abs() < 1e-6);
        state.end_segment(&[1.0, 0.0]);
        assert_eq!(row(&state)[LAYOUT.history()], [1.0, 0.0, 0.25, 0.75, 0.625, 0.375]);
    }
}
