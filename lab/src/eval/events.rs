//! The moments that are judged, and the documents they belong to.
//!
//! What forecasts them, and how well, stands elsewhere.

use crate::{
    Split,
    replay::{Chain, Moment, target},
};
use std::collections::HashMap;
use themecast_forecast::linear::RowKind;

/// Tokens of a segment that have been read at the moments within it: counts, never shares of the
/// segment's length, which would tell how long it is going to be.
pub(crate) const WITHIN: [usize; 3] = [4, 8, 16];

/// Where in an answer a moment lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The last token read is the prompt's.
    PromptEnd,
    /// The last token read has ended its segment.
    Boundary,
    /// So many tokens of the segment have been read.
    Within(usize),
}

impl Place {
    /// Its name in reports.
    pub(crate) fn name(self) -> String {
        match self {
            Self::PromptEnd => "prompt end".to_owned(),
            Self::Boundary => "boundary".to_owned(),
            Self::Within(tokens) => format!("{tokens} tokens in"),
        }
    }

    /// The place of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let within = WITHIN.into_iter().map(Self::Within);
        let mut all = [Self::PromptEnd, Self::Boundary].into_iter().chain(within);
        all.find(|place| place.name() == name)
    }
}

/// One labelled document.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    /// The document's id.
    pub(crate) id: String,
    /// The number of its prompt: resampling draws whole prompts.
    pub(crate) cluster: usize,
    /// Its prompt's group, empty where it has none.
    pub(crate) group: String,
    /// Its prompt.
    pub(crate) prompt: String,
    /// The residuals at the prompt's end as they were collected, *shape* `[sites, hidden]`.
    pub(crate) prompt_end: Vec<f32>,
    /// The text of each labelled segment.
    pub(crate) segments: Vec<String>,
}

/// The prompt's number of each document, by its id, and how many prompts there are.
pub(super) fn clusters(stories: &[Story]) -> (HashMap<&str, usize>, usize) {
    let by_id = stories.iter().map(|story| (story.id.as_str(), story.cluster)).collect();
    let count = stories.iter().map(|story| story.cluster + 1).max().unwrap_or(0);
    (by_id, count)
}

/// One moment that is judged.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// The number of its story.
    pub(crate) story: usize,
    /// Where it lies.
    pub(crate) place: Place,
    /// The segment of the last token read; −1 at the prompt's end.
    pub(crate) segment: i32,
    /// Within a segment, its text so far.
    pub(crate) partial: String,
    /// Its position in the answer, as a bundle's features have it.
    pub(crate) position: [f32; 4],
    /// The themes of its document.
    pub(crate) chain: Chain,
}

impl Event {
    /// The theme `offset` segments on, where there is one.
    pub(crate) fn came(&self, offset: usize) -> Option<u32> {
        target(&self.chain, self.segment, offset)
    }

    /// How many segments have ended.
    pub(crate) fn ended(&self) -> usize {
        let begun = usize::try_from(self.segment + 1).unwrap_or(0);
        if matches!(self.place, Place::Within(_)) { begun - 1 } else { begun }
    }

    /// The theme of the segment that ended last.
    pub(crate) fn present(&self) -> Option<u32> {
        self.ended().checked_sub(1).and_then(|last| self.chain.get(last).copied())
    }

    /// The theme of the segment before that of the last token read.
    pub(crate) fn before(&self) -> Option<u32> {
        let before = usize::try_from(self.segment.checked_sub(1)?).ok()?;
        self.chain.get(before).copied()
    }
}

/// The events of one split and, where they are wanted, their raw rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    /// In the order of reading.
    pub(crate) events: Vec<Event>,
    /// *Shape* `[events, width]`; empty where no rows were taken.
    pub(crate) rows: Vec<f32>,
}

impl Part {
    /// The class of every event at `offset`, where it has one.
    pub(crate) fn targets(&self, offset: usize) -> Vec<Option<u32>> {
        self.events.iter().map(|event| event.came(offset)).collect()
    }

    /// The raw row of the event number `event`.
    pub(crate) fn row(&self, event: usize) -> &[f32] {
        let width = self.rows.len() / self.events.len().max(1);
        &self.rows[event * width..(event + 1) * width]
    }
}

/// A value for each split.
#[derive(Debug, Clone, Default)]
pub(crate) struct BySplit<T> {
    pub(crate) train: T,
    pub(crate) validation: T,
    pub(crate) test: T,
    pub(crate) held_out: T,
}

impl<T> BySplit<T> {
    /// The value of `split`, to change.
    pub(crate) fn of_mut(&mut self, split: Split) -> &mut T {
        match split {
            Split::Train => &mut self.train,
            Split::Validation => &mut self.validation,
            Split::Test => &mut self.test,
            Split::HeldOut => &mut self.held_out,
        }
    }
}

/// Tells which moments of one document are judged: the same in every pass.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    segment: i32,
    tokens: usize,
}

impl Walk {
    /// Before the prompt's end.
    pub(crate) fn new() -> Self {
        Self { segment: -1, tokens: 0 }
    }

    /// The place of the next moment of a document with `themes` labelled segments; none where
    /// it is not judged.
    pub(crate) fn place(&mut self, moment: &Moment<'_>, themes: usize) -> Option<Place> {
        if moment.segment != self.segment {
            (self.segment, self.tokens) = (moment.segment, 0);
        }
        self.tokens += 1;
        if moment.segment >= themes as i32 {
            return None;
        }
        match moment.kind {
            RowKind::Boundary if moment.segment < 0 => Some(Place::PromptEnd),
            RowKind::Boundary => Some(Place::Boundary),
            RowKind::Mid => WITHIN.contains(&self.tokens).then_some(Place::Within(self.tokens)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(kind: RowKind, segment: i32) -> Moment<'static> {
        Moment { kind, segment, last_site: &[], features: &[], now: None }
    }

    #[test]
    fn tokens_are_counted_from_the_start_of_each_segment() {
        let mut walk = Walk::new();
        let mut places = vec![walk.place(&moment(RowKind::Boundary, -1), 2)];
        for segment in 0..3 {
            for token in 0..6 {
                let kind = if token == 5 { RowKind::Boundary } else { RowKind::Mid };
                places.push(walk.place(&moment(kind, segment), 2));
            }
        }
        let places: Vec<_> = places.into_iter().flatten().collect();
        let (within, end) = (Place::Within(4), Place::Boundary);
        assert_eq!(places, [Place::PromptEnd, within, end, within, end]);
    }

    #[test]
    fn within_a_segment_its_theme_is_not_known_yet() {
        let event = |place, segment| Event {
            story: 0,
            place,
            segment,
            partial: String::new(),
            position: [0.0; 4],
            chain: [5, 6, 7].into(),
        };
        assert_eq!(event(Place::PromptEnd, -1).present(), None);
        assert_eq!(event(Place::Boundary, 1).present(), Some(6));
        assert_eq!(event(Place::Within(4), 1).present(), Some(5));
        assert_eq!(event(Place::Within(4), 0).present(), None);
        assert_eq!(event(Place::Boundary, 1).before(), Some(5));
        assert_eq!(event(Place::Within(4), 1).before(), Some(5));
        assert_eq!(event(Place::Boundary, 0).before(), None);
        assert_eq!(event(Place::Within(4), 1).came(1), Some(7));
    }
}
