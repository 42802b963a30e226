//! How often each kind of thing comes on both sides, by prompt: a theme, a pair of themes.

use super::answers::Answers;
use crate::eval::{Mean, bootstrap::Draws};

/// Counts of every prompt; *shape* `[prompts][sides][kinds]`.
pub(super) struct Counts {
    rows: Vec<[Vec<u32>; 2]>,
    kinds: usize,
}

impl Counts {
    /// Counts what `of` finds in each answer's chain of themes: numbers below `kinds`.
    pub(super) fn new(answers: &Answers, kinds: usize, of: impl Fn(&[u32]) -> Vec<usize>) -> Self {
        let mut rows = vec![[vec![0; kinds], vec![0; kinds]]; answers.prompts.len()];
        for (side, answered) in answers.sides.iter().enumerate() {
            for chain in &answered.chains {
                for kind in of(&chain.themes) {
                    rows[chain.prompt][side][kind] += 1;
                }
            }
        }
        Self { rows, kinds }
    }

    /// Those of the prompts that `keep` says yes to, by place.
    pub(super) fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept = self.rows.iter().enumerate().filter(|(place, _)| keep(*place));
        Self { rows: kept.map(|(_, row)| row.clone()).collect(), kinds: self.kinds }
    }

    pub(super) fn kinds(&self) -> usize {
        self.kinds
    }

    /// How many prompts there are.
    pub(super) fn prompts(&self) -> usize {
        self.rows.len()
    }

    /// How often `kind` came on both sides together.
    pub(super) fn came(&self, kind: usize) -> u32 {
        self.rows.iter().flatten().map(|side| side[kind]).sum()
    }

    /// Whatever was counted, on each side.
    pub(super) fn totals(&self) -> [u32; 2] {
        [0, 1].map(|side| self.rows.iter().flat_map(|row| &row[side]).sum())
    }

    /// The share of each kind on both sides, each prompt's sides swapped where `swapped` says so;
    /// `None` where a side has nothing.
    pub(super) fn shares(&self, swapped: impl Fn(usize) -> bool) -> Option<[Vec<f32>; 2]> {
        let mut sums = [vec![0_u32; self.kinds], vec![0; self.kinds]];
        for (place, row) in self.rows.iter().enumerate() {
            let swap = usize::from(swapped(place));
            for (side, counts) in row.iter().enumerate() {
                let sum = &mut sums[side ^ swap];
                sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
        let share = |sums: &Vec<u32>| {
            let all: u32 = sums.iter().sum();
            (all > 0).then(|| sums.iter().map(|&sum| sum as f32 / all as f32).collect())
        };
        Some([share(&sums[0])?, share(&sums[1])?])
    }

    /// How much larger the second side's share of `kind` is, and where it lies for other prompts.
    pub(super) fn difference(&self, kind: usize, draws: &Draws) -> Option<Mean> {
        let of = |row: &[Vec<u32>; 2]| {
            [0, 1].map(|side| {
                let all: u32 = row[side].iter().sum();
                [f64::from(row[side][kind]), f64::from(all)]
            })
        };
        let rows: Vec<[[f64; 2]; 2]> = self.rows.iter().map(of).collect();
        draws.statistic(|counts| {
            let mut sums = [[0.0; 2]; 2];
            for (row, &count) in rows.iter().zip(counts) {
                for (sum, side) in sums.iter_mut().zip(row) {
                    sum[0] += f64::from(count) * side[0];
                    sum[1] += f64::from(count) * side[1];
                }
            }
            let [a, b] = sums;
            (a[1] > 0.0 && b[1] > 0.0).then(|| b[0] / b[1] - a[0] / a[1])
        })
    }

    /// The kind whose share moved most, and by how much.
    pub(super) fn most_moved(&self) -> Option<(usize, f64)> {
        let [a, b] = self.shares(|_| false)?;
        let moved = a.iter().zip(&b).map(|(a, b)| f64::from(b - a)).enumerate();
        moved.max_by(|x, y| x.1.abs().total_cmp(&y.1.abs()))
    }
}
