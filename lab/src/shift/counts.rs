//! How often each kind of thing comes on both sides: a theme, a pair of themes.

use super::answers::Answers;
use crate::eval::{Mean, bootstrap::Draws};

/// Counts of every answer.
pub(super) struct Counts {
    rows: Vec<Row>,
    kinds: usize,
}

/// One answer.
#[derive(Clone)]
pub(super) struct Row {
    /// Its prompt's place.
    pub(super) prompt: usize,
    /// Its side: 0 or 1.
    pub(super) side: usize,
    /// *Shape* `[kinds]`.
    counts: Vec<u32>,
    all: u32,
}

impl Counts {
    /// Counts what `of` finds in each answer's chain of themes: numbers below `kinds`.
    pub(super) fn new(answers: &Answers, kinds: usize, of: impl Fn(&[u32]) -> Vec<usize>) -> Self {
        let mut rows = Vec::new();
        for (side, answered) in answers.sides.iter().enumerate() {
            for chain in &answered.chains {
                let found = of(&chain.themes);
                let mut counts = vec![0; kinds];
                found.iter().for_each(|&kind| counts[kind] += 1);
                rows.push(Row { prompt: chain.prompt, side, counts, all: found.len() as u32 });
            }
        }
        Self { rows, kinds }
    }

    /// Those of the prompts that `keep` says yes to, by place.
    pub(super) fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept = self.rows.iter().filter(|row| keep(row.prompt));
        Self { rows: kept.cloned().collect(), kinds: self.kinds }
    }

    pub(super) fn kinds(&self) -> usize {
        self.kinds
    }

    /// The answers, prompts in no order.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How often `kind` came on both sides together.
    pub(super) fn came(&self, kind: usize) -> u32 {
        self.rows.iter().map(|row| row.counts[kind]).sum()
    }

    /// Whatever was counted, on each side.
    pub(super) fn totals(&self) -> [u32; 2] {
        let of = |side| self.rows.iter().filter(move |row| row.side == side).map(|row| row.all);
        [of(0).sum(), of(1).sum()]
    }

    /// The share of each kind on both sides.
    pub(super) fn shares(&self) -> Option<[Vec<f32>; 2]> {
        self.shares_of(self.rows.iter().map(|row| row.side))
    }

    /// The same if the answers, in order, were those of these sides; `None` where one has nothing.
    pub(super) fn shares_of(&self, sides: impl Iterator<Item = usize>) -> Option<[Vec<f32>; 2]> {
        let mut sums = [vec![0_u32; self.kinds], vec![0; self.kinds]];
        for (row, side) in self.rows.iter().zip(sides) {
            sums[side].iter_mut().zip(&row.counts).for_each(|(sum, count)| *sum += count);
        }
        let share = |sums: &Vec<u32>| {
            let all: u32 = sums.iter().sum();
            (all > 0).then(|| sums.iter().map(|&sum| sum as f32 / all as f32).collect())
        };
        Some([share(&sums[0])?, share(&sums[1])?])
    }

    /// How much larger the second side's share of `kind` is, and where it lies for other prompts.
    pub(super) fn difference(&self, kind: usize, draws: &Draws) -> Option<Mean> {
        let parts = |row: &Row| (row.prompt, row.side, row.counts[kind].into(), row.all.into());
        difference(self.rows.iter().map(parts), draws)
    }

    /// The kind whose share moved most, and by how much.
    pub(super) fn most_moved(&self) -> Option<(usize, f64)> {
        let [a, b] = self.shares()?;
        let moved = a.iter().zip(&b).map(|(a, b)| f64::from(b - a)).enumerate();
        moved.max_by(|x, y| x.1.abs().total_cmp(&y.1.abs()))
    }
}

/// The second side's ratio of sums less the first one's, with its interval over resamples of prompts;
/// of prompt, side, and what is added to numerator and denominator.
pub(super) fn difference(
    parts: impl Iterator<Item = (usize, usize, f64, f64)>,
    draws: &Draws,
) -> Option<Mean> {
    let mut sums: Vec<[[f64; 2]; 2]> = Vec::new();
    for (prompt, side, above, below) in parts {
        if sums.len() <= prompt {
            sums.resize(prompt + 1, [[0.0; 2]; 2]);
        }
        sums[prompt][side][0] += above;
        sums[prompt][side][1] += below;
    }
    draws.statistic(|counts| {
        let mut whole = [[0.0; 2]; 2];
        for (sums, &count) in sums.iter().zip(counts) {
            for (whole, sum) in whole.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
                *whole += f64::from(count) * sum;
            }
        }
        let [a, b] = whole;
        (a[1] > 0.0 && b[1] > 0.0).then(|| b[0] / b[1] - a[0] / a[1])
    })
}
