//! How far two labellings of the same segments agree.

use std::collections::HashMap;

/// The adjusted Rand index of two labellings: 1 for the same partition, about 0 by chance.
///
/// *Source* Hubert and Arabie 1985.
pub(super) fn adjusted_rand_index(a: &[u32], b: &[u32]) -> f64 {
    let pairs = |count: u64| (count * count.saturating_sub(1) / 2) as f64;
    let mut cells: HashMap<(u32, u32), u64> = HashMap::new();
    let (mut rows, mut columns) = (HashMap::<u32, u64>::new(), HashMap::<u32, u64>::new());
    for (&x, &y) in a.iter().zip(b) {
        *cells.entry((x, y)).or_default() += 1;
        *rows.entry(x).or_default() += 1;
        *columns.entry(y).or_default() += 1;
    }
    let index: f64 = cells.values().map(|&count| pairs(count)).sum();
    let row_pairs: f64 = rows.values().map(|&count| pairs(count)).sum();
    let column_pairs: f64 = columns.values().map(|&count| pairs(count)).sum();
    let all = pairs(a.len().min(b.len()) as u64);
    let expected = if all > 0.0 { row_pairs * column_pairs / all } else { 0.0 };
    let largest = (row_pairs + column_pairs) / 2.0;
    if largest == expected { 1.0 } else { (index - expected) / (largest - expected) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_in_the_textbook() {
        assert_eq!(adjusted_rand_index(&[0, 0, 1, 1], &[5, 5, 2, 2]), 1.0);
        // scikit-learn's own example.
        assert!((adjusted_rand_index(&[0, 0, 1, 2], &[0, 0, 1, 1]) - 4.0 / 7.0).abs() < 1e-12);
        assert!((adjusted_rand_index(&[0, 0, 1, 1], &[0, 1, 0, 1]) + 0.5).abs() < 1e-12);
    }
}
