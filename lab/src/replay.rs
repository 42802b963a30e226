//! A collected document through the features of serving, token by token.

use crate::{
    LabError, Result,
    dataset::{Document, DocumentReader, Load},
    embed::Embed,
    eval::embeddings::Embeddings,
    label::Labels,
};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};
use themecast_forecast::{
    bundle::Bundle,
    features::{FeatureLayout, FeatureState},
    linear::RowKind,
};

/// One moment of a document: a token has been read.
pub(crate) struct Moment<'a> {
    /// Which heads apply.
    pub(crate) kind: RowKind,
    /// The segment of the last token read; −1 at the prompt's end.
    pub(crate) segment: i32,
    /// The residual of the last token read at the last site as the features have it, *shape*
    /// `[hidden]`.
    pub(crate) last_site: &'a [f32],
    /// The row, *shape* `[features]`; at a boundary its history has the segment that ended.
    pub(crate) features: &'a [f32],
    /// At a boundary, the theme probabilities of the segment that ended.
    pub(crate) now: Option<&'a [f32]>,
}

/// How rows of features come of documents.
#[derive(Clone, Copy)]
pub(crate) struct Player<'a> {
    pub(crate) layout: FeatureLayout,
    /// The embeddings of prompts and segments, where the layout has text.
    pub(crate) texts: Option<&'a Embeddings>,
}

impl Player<'_> {
    /// Rows without text.
    pub(crate) fn plain(layout: FeatureLayout) -> Self {
        Self { layout, texts: None }
    }

    /// Reads `text` into `state`.
    fn read(
        &self,
        text: &str,
        state: &mut FeatureState,
        into: fn(&mut FeatureState, &[f32]),
    ) -> Result<()> {
        if self.layout.text == 0 {
            return Ok(());
        }
        let known = self.texts.and_then(|texts| texts.get(text.trim()));
        into(state, known.ok_or_else(|| LabError::Data(format!("no embedding of {text:?}")))?);
        Ok(())
    }
}

/// The embeddings of every prompt and segment of the collection in `dir`, kept with its labels.
///
/// # Errors
/// [`LabError`] of reading or embedding.
pub(crate) fn embed_texts(
    dir: &Path,
    embedder: &dyn Embed,
    progress: &dyn Fn(&str),
) -> Result<Embeddings> {
    let mut texts: BTreeSet<String> = BTreeSet::new();
    for document in DocumentReader::open(dir, Load::Tokens)? {
        let document = document?;
        texts.extend(ended_segments(&document));
        texts.insert(document.prompt.trim().to_owned());
    }
    let texts = texts.iter().map(String::as_str).collect();
    Embeddings::of(&texts, &dir.join("labels").join("embeddings.parquet"), embedder, progress)
}

/// The embeddings that `bundle` reads in the collection in `dir`; none where it reads no text.
///
/// # Errors
/// [`LabError::Data`] where there is no embedder to read with; as [`embed_texts`].
pub(crate) fn texts_for(
    bundle: &Bundle,
    dir: &Path,
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<Option<Embeddings>> {
    let Some(card) = &bundle.card.text else { return Ok(None) };
    let missing = || LabError::data("the bundle reads the text: a sentence embedder is needed");
    let texts = embed_texts(dir, embedder.ok_or_else(missing)?, progress)?;
    match texts.dimension() == card.dimension {
        true => Ok(Some(texts)),
        false => Err(LabError::Data(format!(
            "the bundle reads embeddings of {} of width {}, the embedder's are {} wide",
            card.embedder,
            card.dimension,
            texts.dimension()
        ))),
    }
}

/// The texts of the segments that have ended, trimmed.
pub(crate) fn ended_segments(document: &Document) -> Vec<String> {
    let (mut all, mut text) = (Vec::new(), String::new());
    for row in document.tokens.iter().filter(|row| row.index >= 0) {
        text.push_str(&row.text);
        if row.segment_end {
            all.push(std::mem::take(&mut text).trim().to_owned());
        }
    }
    all
}

/// Plays `document` (with its residuals) in the order of serving. `now` classifies the segment
/// that ends from its row; `visit` sees every moment.
///
/// # Errors
/// [`LabError::Data`] where residuals have another width than the layout, or a text has no
/// embedding; what `visit` returns.
pub(crate) fn replay(
    document: &Document,
    player: Player<'_>,
    mut now: impl FnMut(&[f32], &mut Vec<f32>),
    mut visit: impl FnMut(&Moment<'_>) -> Result<()>,
) -> Result<()> {
    let layout = player.layout;
    let mut state = FeatureState::new(layout);
    player.read(&document.prompt, &mut state, FeatureState::read_prompt)?;
    let (mut residuals, mut features, mut themes) = (Vec::new(), Vec::new(), Vec::new());
    let mut text = String::new();
    for row in &document.tokens {
        if row.index >= 0 {
            text.push_str(&row.text);
        }
        let Some(half) = &row.residuals else { continue };
        if half.len() != layout.hidden * layout.sites {
            let (found, at) = (half.len(), row.index);
            let message = format!(
                "document {}, token {at}: {found} residuals, expected {} × {}",
                document.id, layout.sites, layout.hidden
            );
            return Err(LabError::Data(message));
        }
        residuals.clear();
        residuals.extend(half.iter().map(|value| value.to_f32()));
        state.observe(&residuals);
        let ended = row.index >= 0 && row.segment_end;
        if ended {
            player.read(&text, &mut state, FeatureState::read_segment)?;
            text.clear();
        }
        state.write(&mut features);
        if ended {
            now(&features, &mut themes);
            state.end_segment(&themes);
            state.write(&mut features);
        }
        visit(&Moment {
            kind: if ended || row.index < 0 { RowKind::Boundary } else { RowKind::Mid },
            segment: if row.index < 0 { -1 } else { row.segment },
            last_site: state.last_site(),
            features: &features,
            now: ended.then_some(themes.as_slice()),
        })?;
    }
    Ok(())
}

/// The chain of themes of a document, by segment.
pub(crate) type Chain = Arc<[u32]>;

/// The chains of every labelled document.
///
/// # Errors
/// [`LabError::Data`] where a document's segments are not numbered from 0 without a gap.
pub(crate) fn chains(labels: &Labels) -> Result<HashMap<String, Chain>> {
    let mut chains: HashMap<String, Vec<u32>> = HashMap::new();
    for label in &labels.segments {
        let chain = chains.entry(label.document.clone()).or_default();
        if chain.len() != label.segment as usize {
            let message = format!(
                "labels of document {}: segment {} where {} was expected",
                label.document,
                label.segment,
                chain.len()
            );
            return Err(LabError::Data(message));
        }
        chain.push(label.theme);
    }
    Ok(chains.into_iter().map(|(document, chain)| (document, chain.into())).collect())
}

/// The theme `offset` segments after segment `segment` (−1: the prompt), where there is one.
pub(crate) fn target(chain: &[u32], segment: i32, offset: usize) -> Option<u32> {
    let place = usize::try_from(i64::from(segment) + offset as i64).ok()?;
    chain.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_from_the_segment_that_was_read_last() {
        let chain = [5, 6, 7];
        assert_eq!(target(&chain, -1, 0), None);
        assert_eq!(target(&chain, -1, 1), Some(5));
        assert_eq!(target(&chain, 1, 0), Some(6));
        assert_eq!(target(&chain, 1, 1), Some(7));
        assert_eq!(target(&chain, 1, 2), None);
    }
}
