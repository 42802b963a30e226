//! How far two labellings of the same segments agree.

use crate::{
    dataset::Document,
    eval::{
        Interval,
        bootstrap::{Draws, FEWEST, interval},
    },
};
use std::collections::{BTreeMap, HashMap};

/// The counts of two labellings' pairs of themes; in order, so that sums come out the same every
/// time.
struct Cells {
    cells: BTreeMap<(u32, u32), u64>,
    rows: BTreeMap<u32, u64>,
    columns: BTreeMap<u32, u64>,
    all: u64,
}

impl Cells {
    fn count(a: &[u32], b: &[u32]) -> Self {
        let mut found = Self {
            cells: BTreeMap::new(),
            rows: BTreeMap::new(),
            columns: BTreeMap::new(),
            all: 0,
        };
        for (&x, &y) in a.iter().zip(b) {
            *found.cells.entry((x, y)).or_default() += 1;
            *found.rows.entry(x).or_default() += 1;
            *found.columns.entry(y).or_default() += 1;
            found.all += 1;
        }
        found
    }
}

/// The adjusted Rand index of two labellings: 1 for the same partition, about 0 by chance.
///
/// *Source* Hubert and Arabie 1985.
pub(super) fn adjusted_rand_index(a: &[u32], b: &[u32]) -> f64 {
    let Cells { cells, rows, columns, all } = Cells::count(a, b);
    let pairs = |count: u64| (count * count.saturating_sub(1) / 2) as f64;
    let index: f64 = cells.values().map(|&count| pairs(count)).sum();
    let row_pairs: f64 = rows.values().map(|&count| pairs(count)).sum();
    let column_pairs: f64 = columns.values().map(|&count| pairs(count)).sum();
    let expected = if all > 1 { row_pairs * column_pairs / pairs(all) } else { 0.0 };
    let largest = (row_pairs + column_pairs) / 2.0;
    if largest == expected { 1.0 } else { (index - expected) / (largest - expected) }
}

/// Cohen's kappa of two labellings with the same catalogue: 1 at best, 0 by chance.
///
/// *Source* Cohen 1960.
pub(super) fn kappa(a: &[u32], b: &[u32]) -> f64 {
    let Cells { cells, rows, columns, all } = Cells::count(a, b);
    let all = all.max(1) as f64;
    let same: u64 = cells.iter().filter(|((x, y), _)| x == y).map(|(_, count)| count).sum();
    let chance: f64 = rows
        .iter()
        .map(|(theme, &row)| row as f64 * columns.get(theme).copied().unwrap_or(0) as f64)
        .sum::<f64>()
        / (all * all);
    let observed = same as f64 / all;
    if chance >= 1.0 { 1.0 } else { (observed - chance) / (1.0 - chance) }
}

/// The adjusted mutual information of two labellings (arithmetic mean of the entropies): 1 for the
/// same partition, about 0 by chance.
///
/// *Source* Vinh, Epps, Bailey 2010.
pub(super) fn adjusted_mutual_information(a: &[u32], b: &[u32]) -> f64 {
    let Cells { cells, rows, columns, all } = Cells::count(a, b);
    let n = all as f64;
    let information: f64 = cells
        .iter()
        .map(|((x, y), &count)| {
            let (count, product) = (count as f64, (rows[x] * columns[y]) as f64);
            count / n * (n * count / product).ln()
        })
        .sum();
    let entropy = |of: &BTreeMap<u32, u64>| -> f64 {
        of.values().map(|&count| -(count as f64 / n) * (count as f64 / n).ln()).sum()
    };
    let expected = expected_information(&rows, &columns, all);
    let mean = (entropy(&rows) + entropy(&columns)) / 2.0;
    let span = mean - expected;
    if span.abs() < 1e-12 { 1.0 } else { (information - expected) / span }
}

/// The mutual information that two random labellings with these counts have on average.
fn expected_information(rows: &BTreeMap<u32, u64>, columns: &BTreeMap<u32, u64>, all: u64) -> f64 {
    let mut logs = vec![0.0; all as usize + 1]; // ln(k!)
    for k in 1..=all as usize {
        logs[k] = logs[k - 1] + (k as f64).ln();
    }
    let log = |k: u64| logs[k as usize];
    let n = all as f64;
    let mut expected = 0.0;
    for &a in rows.values() {
        for &b in columns.values() {
            let fixed = log(a) + log(b) + log(all - a) + log(all - b) - log(all);
            for both in (a + b).saturating_sub(all).max(1)..=a.min(b) {
                let rest = log(both) + log(a - both) + log(b - both) + log(all + both - a - b);
                let gain = both as f64 / n * (n * both as f64 / (a as f64 * b as f64)).ln();
                expected += gain * (fixed - rest).exp();
            }
        }
    }
    expected
}

/// The 95 % interval of kappa over draws of prompts; `documents` are those of the segments. None where
/// they are of too few prompts.
pub(super) fn kappa_interval(documents: &[&str], a: &[u32], b: &[u32]) -> Option<Interval> {
    const DRAWS: usize = 1000;
    let mut prompts: HashMap<&str, usize> = HashMap::new();
    let mut of = Vec::new();
    for &id in documents {
        let number = prompts.len();
        of.push(*prompts.entry(Document::prompt_of(id)).or_insert(number));
    }
    if prompts.len() < FEWEST {
        return None;
    }
    let draws = Draws::new(prompts.len(), DRAWS, 1);
    let drawn = |counts: &Vec<u32>| {
        let each = |labels: &[u32]| -> Vec<u32> {
            let of = labels.iter().zip(&of);
            of.flat_map(|(label, &prompt)| std::iter::repeat_n(*label, counts[prompt] as usize))
                .collect()
        };
        kappa(&each(a), &each(b))
    };
    interval(draws.counts().iter().map(drawn).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_of_prompts_whatever_their_ids_hold() {
        let ids: Vec<String> =
            (0..16).map(|number| format!("faq/{}/{}", number / 2, number % 2)).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let labels: Vec<u32> = (0..16).map(|number| number % 3).collect();
        let others: Vec<u32> =
            labels.iter().enumerate().map(|(n, l)| l * u32::from(n > 3)).collect();
        let found = kappa_interval(&ids, &labels, &others).unwrap();
        assert!(found.low < found.high, "{found:?}");
        assert!(kappa_interval(&ids[..8], &labels[..8], &others[..8]).is_none(), "four prompts");
        assert!(kappa_interval(&[], &[], &[]).is_none());
    }

    #[test]
    fn as_in_the_textbook() {
        assert_eq!(adjusted_rand_index(&[0, 0, 1, 1], &[5, 5, 2, 2]), 1.0);
        // scikit-learn's own examples.
        assert!((adjusted_rand_index(&[0, 0, 1, 2], &[0, 0, 1, 1]) - 4.0 / 7.0).abs() < 1e-12);
        assert!((adjusted_rand_index(&[0, 0, 1, 1], &[0, 1, 0, 1]) + 0.5).abs() < 1e-12);
        let (a, b) = ([0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 2, 2]);
        assert!((adjusted_mutual_information(&a, &a) - 1.0).abs() < 1e-9);
        assert!(adjusted_mutual_information(&a, &b) < 1.0);
    }

    #[test]
    fn kappa_takes_chance_away() {
        // Wikipedia's example: 20 and 15 agree of 50, expected 0.5.
        let pairs = [(0, 0, 20), (0, 1, 5), (1, 0, 10), (1, 1, 15)];
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (x, y, count) in pairs {
            a.extend(vec![x; count]);
            b.extend(vec![y; count]);
        }
        assert!((kappa(&a, &b) - 0.4).abs() < 1e-9);
        assert_eq!(kappa(&[1, 2], &[1, 2]), 1.0);
    }

    #[test]
    fn labels_drawn_by_chance_agree_on_nothing() {
        let mut state = 3u64;
        let mut random = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as u32 % 6
        };
        let a: Vec<u32> = (0..3000).map(|_| random()).collect();
        let b: Vec<u32> = (0..3000).map(|_| random()).collect();
        assert!(kappa(&a, &b).abs() < 0.03);
        assert!(adjusted_mutual_information(&a, &b).abs() < 0.01);
    }
}
