//! The ways of cutting, and what they cut.

use super::{
    answers::Answer,
    change::{ChangeConfig, ChangeSegmenter},
    units::{self, Unit},
    words,
};
use crate::{Result, embed::Embed, split::stable_hash};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use themecast_forecast::segment::{Segmenter, SegmenterConfig};

/// Where a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Boundary {
    /// The token after its last one.
    pub(super) end: usize,
    /// The token after the one with which that is known.
    pub(super) known: usize,
}

/// An answer's units and their embeddings.
pub(super) struct Units {
    pub(super) units: Vec<Unit>,
    pub(super) vectors: Vec<Vec<f32>>,
}

impl Units {
    /// The numbers of the units before which `cut` has a boundary; one after the last is left out.
    pub(super) fn places(&self, cut: &[Boundary]) -> Vec<usize> {
        let place = |boundary: &Boundary| units::ended(&self.units, boundary.end);
        cut.iter().map(place).filter(|place| (1..self.units.len()).contains(place)).collect()
    }
}

/// How answers are read.
pub(super) struct Reading<'a> {
    /// The present segmenter.
    pub(super) layout: SegmenterConfig,
    /// That of units.
    pub(super) unit: SegmenterConfig,
    pub(super) embedder: &'a dyn Embed,
    pub(super) progress: &'a dyn Fn(&str),
}

impl Reading<'_> {
    /// The units of each of `answers`, embedded at once.
    pub(super) fn units(&self, answers: &[Answer]) -> Result<Vec<Units>> {
        let all: Vec<_> = answers.iter().map(|answer| units::units(answer, &self.unit)).collect();
        let texts: Vec<String> =
            all.iter().flatten().map(|unit| unit.text.trim().to_owned()).collect();
        (self.progress)(&format!("{} units", texts.len()));
        let mut vectors = self.embedder.embed(&texts, &|_, _| {})?.into_iter();
        let embedded = |units: Vec<Unit>| {
            let vectors = vectors.by_ref().take(units.len()).collect();
            Units { units, vectors }
        };
        Ok(all.into_iter().map(embedded).collect())
    }

    /// Where the present segmenter ends segments.
    pub(super) fn by_layout(&self, answer: &Answer) -> Vec<Boundary> {
        let mut segmenter = Segmenter::new(&self.layout);
        let ended = |place: &usize| segmenter.push(&answer.tokens[*place]);
        let ends = (0..answer.tokens.len()).filter(ended).map(|place| place + 1);
        ends.map(|end| Boundary { end, known: end }).collect()
    }
}

/// Where segments end by the change of embedding.
pub(super) fn by_change(of: &Units, config: &ChangeConfig) -> Vec<Boundary> {
    let mut segmenter = ChangeSegmenter::new(config);
    let (mut cut, mut end) = (Vec::new(), 0);
    for (unit, vector) in of.units.iter().zip(&of.vectors) {
        if segmenter.push(unit.chars, vector) {
            cut.push(Boundary { end, known: unit.end });
        }
        end = unit.end;
    }
    cut
}

/// As many boundaries as `cut` has, at random ends of units.
fn by_chance(of: &Units, cut: &[Boundary], key: &str) -> Vec<Boundary> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(stable_hash(key));
    let inner = of.units.len().saturating_sub(1);
    let mut ends: Vec<usize> = of.units[..inner].iter().map(|unit| unit.end).collect();
    for place in (1..ends.len()).rev() {
        ends.swap(place, (random.next_u64() % (place as u64 + 1)) as usize);
    }
    ends.truncate(cut.len());
    ends.sort_unstable();
    ends.into_iter().map(|end| Boundary { end, known: end }).collect()
}

/// One way of cutting: the boundaries of each answer, in the order of the answers.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) cuts: Vec<Vec<Boundary>>,
    /// The share of boundaries that are there again when words are left out.
    pub(super) kept: Option<f64>,
}

/// Some answers, cut each way.
pub(super) struct Cuts<'a> {
    pub(super) answers: &'a [Answer],
    pub(super) units: Vec<Units>,
    pub(super) change: &'a ChangeConfig,
    pub(super) layout: Way,
    pub(super) by_change: Way,
    pub(super) by_chance: Way,
}

impl<'a> Cuts<'a> {
    /// `answers` cut each way, with and without one word in twenty.
    pub(super) fn new(
        reading: &Reading<'_>,
        answers: &'a [Answer],
        change: &'a ChangeConfig,
        seed: u64,
    ) -> Result<Self> {
        let units = reading.units(answers)?;
        let layout: Vec<_> = answers.iter().map(|answer| reading.by_layout(answer)).collect();
        let changes: Vec<_> = units.iter().map(|units| by_change(units, change)).collect();
        let drawn = answers.iter().zip(&units).zip(&changes).map(|((answer, units), cut)| {
            by_chance(units, cut, &format!("{seed}/{}", answer.document))
        });
        let drawn = drawn.collect();
        let (left, before): (Vec<Answer>, Vec<Vec<usize>>) =
            answers.iter().map(|answer| words::leave_out(answer, seed)).unzip();
        (reading.progress)("again without one word in twenty");
        let left_units = reading.units(&left)?;
        let layout_left = left.iter().map(|answer| reading.by_layout(answer));
        let layout_kept = kept(&layout, layout_left, &before);
        let change_left = left_units.iter().map(|units| by_change(units, change));
        let change_kept = kept(&changes, change_left, &before);
        Ok(Self {
            answers,
            units,
            change,
            layout: Way { name: "layout", cuts: layout, kept: layout_kept },
            by_change: Way { name: "embedding change", cuts: changes, kept: change_kept },
            by_chance: Way { name: "by chance", cuts: drawn, kept: None },
        })
    }

    /// Each way.
    pub(super) fn ways(&self) -> [&Way; 3] {
        [&self.layout, &self.by_change, &self.by_chance]
    }
}

/// The share of the boundaries `cuts` that are among those `again` found in the tokens that stayed;
/// `before` says for every token how many before it did.
fn kept(
    cuts: &[Vec<Boundary>],
    again: impl Iterator<Item = Vec<Boundary>>,
    before: &[Vec<usize>],
) -> Option<f64> {
    let (mut all, mut same) = (0_usize, 0_usize);
    for ((cut, again), before) in cuts.iter().zip(again).zip(before) {
        let found = |one: &&Boundary| again.iter().any(|other| other.end == before[one.end]);
        all += cut.len();
        same += cut.iter().filter(found).count();
    }
    (all > 0).then(|| same as f64 / all as f64)
}
