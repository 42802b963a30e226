//! A collected document through the features of serving, token by token.

use crate::{
    LabError, Result,
    dataset::{CollectionInfo, Document},
    label::Labels,
};
use std::{collections::HashMap, sync::Arc};
use themecast_forecast::{
    features::{FeatureLayout, FeatureState},
    linear::RowKind,
};
use themecast_plugin_api::Site;

/// One moment of a document: a token has been read.
pub(crate) struct Moment<'a> {
    /// Which heads apply.
    pub(crate) kind: RowKind,
    /// The segment of the last token read; −1 at the prompt's end.
    pub(crate) segment: i32,
    /// The residuals of the last token read, *shape* `[sites, hidden]`.
    pub(crate) residuals: &'a [f32],
    /// The row, *shape* `[features]`; at a boundary its history has the segment that ended.
    pub(crate) features: &'a [f32],
    /// At a boundary, the theme probabilities of the segment that ended.
    pub(crate) now: Option<&'a [f32]>,
}

/// Plays `document` (with its residuals) in the order of serving. `now` classifies the segment
/// that ends from its row; `visit` sees every moment.
///
/// # Errors
/// [`LabError::Data`] where residuals have another width than `layout`; what `visit` returns.
pub(crate) fn replay(
    document: &Document,
    layout: FeatureLayout,
    mut now: impl FnMut(&[f32], &mut Vec<f32>),
    mut visit: impl FnMut(&Moment<'_>) -> Result<()>,
) -> Result<()> {
    let mut state = FeatureState::new(layout);
    let (mut residuals, mut features, mut themes) = (Vec::new(), Vec::new(), Vec::new());
    for row in &document.tokens {
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
        state.write(&mut features);
        let ended = row.index >= 0 && row.segment_end;
        if ended {
            now(&features, &mut themes);
            state.end_segment(&themes);
            state.write(&mut features);
        }
        visit(&Moment {
            kind: if ended || row.index < 0 { RowKind::Boundary } else { RowKind::Mid },
            segment: if row.index < 0 { -1 } else { row.segment },
            residuals: &residuals,
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

/// The layout of rows over `sites` of a collection.
pub(crate) fn layout(info: &CollectionInfo, sites: &[Site], themes: usize) -> FeatureLayout {
    FeatureLayout { hidden: info.model.hidden_size, sites: sites.len(), themes }
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
