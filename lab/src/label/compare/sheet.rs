//! A sheet of examples: what a method's themes look like, readable in five minutes.

use super::{
    pairs::Labelled,
    report::{Passage, ThemeExamples},
};
use crate::{
    Split,
    label::{Segment, naming},
    split::stable_hash,
};
use themecast_forecast::bundle::Theme;

/// Passages of each theme.
const PASSAGES: usize = 3;
/// Characters of each.
const CHARS: usize = 140;

/// For each theme of `own`, random passages of the test split that have it, with their topics;
/// drawn by hash, so that a segment that is drawn stays drawn when other segments come.
pub(super) fn draw(
    segments: &[Segment],
    own: Labelled<'_>,
    topics: Option<Labelled<'_>>,
    seed: u64,
) -> Vec<ThemeExamples> {
    let mut order: Vec<(u64, usize)> = (0..segments.len())
        .filter(|&place| segments[place].split == Split::Test)
        .map(|place| {
            let Segment { document, segment, .. } = &segments[place];
            (stable_hash(&format!("{seed}/{document}#{segment}")), place)
        })
        .collect();
    order.sort_unstable();
    let examples = |(number, theme): (usize, &Theme)| {
        let members = order.iter().filter(|(_, place)| own.labels[*place] as usize == number);
        let passage = |(_, place): &(u64, usize)| Passage {
            text: naming::shorten(&segments[*place].text, CHARS),
            topic: topics.map(|topics| topics.name(*place).to_owned()),
        };
        ThemeExamples {
            id: theme.id.clone(),
            name: theme.name.clone(),
            description: theme.description.clone(),
            share: theme.share,
            passages: members.take(PASSAGES).map(passage).collect(),
        }
    };
    own.themes.iter().enumerate().map(examples).collect()
}
