//! Two labellings with catalogues of their own: do they agree?

use crate::label::{Agreement, measures::OTHER};
use std::collections::{BTreeSet, HashMap};
use themecast_forecast::bundle::Theme;

/// Labels and the catalogue that they point into.
#[derive(Clone, Copy)]
pub(super) struct Labelled<'a> {
    pub(super) themes: &'a [Theme],
    pub(super) labels: &'a [u32],
}

impl Labelled<'_> {
    /// The name of what the segment at `place` was given.
    pub(super) fn name(&self, place: usize) -> &str {
        &self.themes[self.labels[place] as usize].name
    }

    /// The ids of its themes but for "other".
    fn ids(&self) -> BTreeSet<&str> {
        self.themes.iter().map(|theme| theme.id.as_str()).filter(|id| *id != OTHER).collect()
    }
}

/// How far the two agree; kappa is given where both have the same ids, "other" apart: where one of
/// them alone has it, each use of it disagrees. `None` where there is nothing to compare.
pub(super) fn agreement(
    with: &str,
    first: Labelled<'_>,
    second: Labelled<'_>,
) -> Option<Agreement> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    for theme in first.themes.iter().chain(second.themes) {
        let next = numbers.len() as u32;
        numbers.entry(&theme.id).or_insert(next);
    }
    let joint = |of: Labelled<'_>| -> Vec<u32> {
        let number = |&label: &u32| numbers[of.themes[label as usize].id.as_str()];
        of.labels.iter().map(number).collect()
    };
    let same = first.ids() == second.ids();
    Agreement::between(with, &joint(first), &joint(second), same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn themes(ids: &[&str]) -> Vec<Theme> {
        let theme = |id: &&str| Theme {
            id: (*id).into(),
            name: String::new(),
            description: String::new(),
            share: 0.0,
        };
        ids.iter().map(theme).collect()
    }

    fn kappa(first: (&[&str], &[u32]), second: (&[&str], &[u32])) -> Option<f64> {
        let (own, theirs) = (themes(first.0), themes(second.0));
        let first = Labelled { themes: &own, labels: first.1 };
        let second = Labelled { themes: &theirs, labels: second.1 };
        agreement("it", first, second).unwrap().kappa
    }

    #[test]
    fn kappa_goes_by_ids_and_is_left_out_where_they_differ() {
        let first: (&[&str], &[u32]) = (&["a", "b"], &[0, 1, 0, 1]);
        assert_eq!(kappa(first, (&["b", "a"], &[1, 0, 1, 0])), Some(1.0));
        assert_eq!(kappa(first, (&["b", "a", "other"], &[1, 0, 1, 0])), Some(1.0));
        let once = kappa(first, (&["a", "b", "other"], &[0, 1, 0, 2])).unwrap();
        assert!((once - 0.6).abs() < 1e-12, "{once}"); // 3 of 4, by chance 3 of 8
        assert_eq!(kappa(first, (&["a", "c"], &[0, 1, 0, 1])), None);
    }
}
