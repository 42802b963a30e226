//! Rows to fit on, from documents and their chains.

use super::reference::Distances;
use crate::{
    Result, Split,
    dataset::{Document, Load},
    pace::Documents,
    replay::{Chain, Moment, Player, replay, target},
    split,
};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};
use themecast_forecast::{
    features::FeatureLayout,
    linear::{Affine, RowKind},
};
use themecast_plugin_api::Site;

/// Where a row comes from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The segment of the last token read; −1 at the prompt's end.
    pub(crate) segment: i32,
    /// The cross-fitting fold of its prompt.
    pub(crate) fold: usize,
    /// The ensemble's part of its prompt.
    pub(crate) part: usize,
    /// The themes of its document.
    pub(crate) chain: Chain,
}

/// Raw rows, *shape* `[origins, features]`, row-major.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) values: Vec<f32>,
    pub(crate) origins: Vec<Origin>,
}

impl Rows {
    /// The class of every row at `offset`, where it has one.
    pub(crate) fn targets(&self, offset: usize) -> Vec<Option<u32>> {
        self.origins.iter().map(|row| target(&row.chain, row.segment, offset)).collect()
    }

    fn push(&mut self, features: &[f32], origin: Origin) {
        self.values.extend_from_slice(features);
        self.origins.push(origin);
    }
}

/// The rows of one kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Splits {
    pub(crate) train: Rows,
    pub(crate) validation: Rows,
}

impl Splits {
    fn of(&mut self, split: Fitting) -> &mut Rows {
        match split {
            Fitting::Train => &mut self.train,
            Fitting::Validation => &mut self.validation,
        }
    }
}

/// The splits that training looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fitting {
    Train,
    Validation,
}

/// What all passes over a collection share.
pub(crate) struct Source<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) sites: &'a [Site],
    pub(crate) player: Player<'a>,
    pub(crate) chains: &'a HashMap<String, Chain>,
    pub(crate) folds: usize,
    pub(crate) seed: u64,
    pub(crate) progress: &'a dyn Fn(&str),
}

/// The classifiers of ended segments: one for new documents, one per fold for training documents.
pub(crate) struct NowHeads {
    pub(crate) whole: Affine,
    pub(crate) folds: Vec<Affine>,
}

impl Source<'_> {
    /// The layout of the rows.
    pub(crate) fn layout(&self) -> FeatureLayout {
        self.player.layout
    }

    /// The first pass: boundary rows with an empty history, for the classifiers of ended
    /// segments. `seen` is told every residual of the training split at the last site.
    ///
    /// # Errors
    /// [`crate::LabError`] of reading.
    pub(crate) fn without_history(&self, mut seen: impl FnMut(&[f32])) -> Result<Splits> {
        let mut rows = Splits::default();
        let themes = self.layout().themes;
        self.each(|document, split, origin| {
            let empty = |_: &[f32], now: &mut Vec<f32>| {
                now.clear();
                now.resize(themes, 0.0);
            };
            replay(document, self.player, empty, |moment| {
                if split == Fitting::Train {
                    seen(moment.last_site);
                }
                if moment.kind == RowKind::Boundary && useful(moment, &origin.chain) {
                    rows.of(split).push(moment.features, at(origin, moment.segment));
                }
                Ok(())
            })
        })?;
        Ok(rows)
    }

    /// The second pass: boundary rows, and `mid_rows` rows drawn from within each segment, with
    /// the history that serving would have. `distances` measures the training split's residuals.
    ///
    /// # Errors
    /// [`crate::LabError`] of reading.
    pub(crate) fn with_history(
        &self,
        heads: &NowHeads,
        mid_rows: usize,
        distances: &mut Distances,
    ) -> Result<(Splits, Splits)> {
        let (mut boundary, mut mid) = (Splits::default(), Splits::default());
        self.each(|document, split, origin| {
            let head = match split {
                Fitting::Train => heads.folds.get(origin.fold).unwrap_or(&heads.whole),
                Fitting::Validation => &heads.whole,
            };
            let drawn = self.draw(document, mid_rows);
            let mut token = 0;
            let now = |row: &[f32], out: &mut Vec<f32>| head.probabilities(row, out);
            replay(document, self.player, now, |moment| {
                let wanted = moment.kind == RowKind::Boundary || drawn.contains(&token);
                token += 1;
                if split == Fitting::Train {
                    distances.add(moment.last_site);
                }
                if wanted && useful(moment, &origin.chain) {
                    let rows = if moment.kind == RowKind::Mid { &mut mid } else { &mut boundary };
                    rows.of(split).push(moment.features, at(origin, moment.segment));
                }
                Ok(())
            })
        })?;
        Ok((boundary, mid))
    }

    /// Visits every labelled document of the training and validation splits.
    fn each(&self, mut visit: impl FnMut(&Document, Fitting, &Origin) -> Result<()>) -> Result<()> {
        let load = Load::Residuals(self.sites.to_vec());
        for document in Documents::open(self.dir, load, self.progress)? {
            let document = document?;
            let split = match Split::of(&document)? {
                Split::Train => Fitting::Train,
                Split::Validation => Fitting::Validation,
                Split::Test | Split::HeldOut => continue,
            };
            let Some(chain) = self.chains.get(&document.id) else { continue };
            let fold = split::fold(&document.prompt_id, self.folds as u64);
            let part = split::part(&document.prompt_id);
            visit(&document, split, &Origin { segment: -1, fold, part, chain: chain.clone() })?;
        }
        Ok(())
    }

    /// Which of the tokens that were read to take as mid-segment rows: up to `count` a segment.
    fn draw(&self, document: &Document, count: usize) -> HashSet<usize> {
        let seed = self.seed ^ split::stable_hash(&document.id);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut by_segment: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        let read = document.tokens.iter().filter(|row| row.residuals.is_some());
        for (token, row) in read.enumerate() {
            if row.index >= 0 && !row.segment_end {
                by_segment.entry(row.segment).or_default().push(token);
            }
        }
        let mut drawn = HashSet::new();
        for mut tokens in by_segment.into_values() {
            for place in 0..count.min(tokens.len()) {
                let rest = (tokens.len() - place) as u64;
                tokens.swap(place, place + (random.next_u64() % rest) as usize);
                drawn.insert(tokens[place]);
            }
        }
        drawn
    }
}

/// Whether the moment has a theme to learn, now or later.
fn useful(moment: &Moment<'_>, chain: &[u32]) -> bool {
    moment.segment < chain.len() as i32
}

fn at(origin: &Origin, segment: i32) -> Origin {
    Origin { segment, ..origin.clone() }
}
