//! How alike what stands together is, and what a boundary parts.

use super::{
    change::cosine,
    report::Coherence,
    ways::{Boundary, Units},
};

/// How alike units of one segment are, and those at either side of a boundary.
pub(super) fn coherence<'a>(
    answers: impl Iterator<Item = (&'a Units, &'a [Boundary])>,
) -> Coherence {
    let mut found = Sums::default();
    for (units, cut) in answers {
        let places = units.places(cut);
        let starts = std::iter::once(0).chain(places.iter().copied());
        let ends = places.iter().copied().chain([units.units.len()]);
        for (start, end) in starts.zip(ends) {
            found.add(&units.vectors[start..end], units.vectors.get(end));
        }
    }
    Coherence {
        within: found.within.get(),
        with_others: found.others.get(),
        across: found.across.get(),
        neighbours_within: found.inner.get(),
        neighbours_across: found.outer.get(),
    }
}

/// What [`Coherence`] is the mean of.
#[derive(Default)]
struct Sums {
    within: Mean,
    others: Mean,
    across: Mean,
    inner: Mean,
    outer: Mean,
}

impl Sums {
    /// Takes a segment's units and the one after it.
    fn add(&mut self, own: &[Vec<f32>], next: Option<&Vec<f32>>) {
        let sum = sum(own);
        for vector in own.iter().filter(|_| own.len() > 1) {
            self.within.add(cosine(vector, &sum));
            let rest: Vec<f32> = sum.iter().zip(vector).map(|(all, x)| all - x).collect();
            self.others.add(cosine(vector, &rest));
        }
        own.windows(2).for_each(|two| self.inner.add(cosine(&two[0], &two[1])));
        if let Some((last, next)) = own.last().zip(next) {
            self.across.add(cosine(next, &sum));
            self.outer.add(cosine(next, last));
        }
    }
}

fn sum(vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut all = vectors.first().cloned().unwrap_or_default();
    for vector in vectors.iter().skip(1) {
        all.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    all
}

/// A running mean.
#[derive(Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: f32) {
        self.sum += f64::from(value);
        self.count += 1;
    }

    fn get(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::boundaries::units::Unit;

    #[test]
    fn units_are_held_against_their_segment_and_the_one_before() {
        let unit = |end| Unit { end, chars: 1, text: String::new() };
        let (east, north) = (vec![1.0, 0.0], vec![0.0, 1.0]);
        let vectors = vec![east.clone(), east.clone(), north, east];
        let units = Units { units: (1..5).map(unit).collect(), vectors };
        let at = |end| Boundary { end, known: end };
        let of = |ends: &[usize]| {
            let cut: Vec<Boundary> = ends.iter().copied().map(at).collect();
            let found = coherence(std::iter::once((&units, &cut[..])));
            let neighbours = (found.neighbours_within, found.neighbours_across);
            (found.within, found.with_others, found.across, neighbours)
        };
        let half = f64::from(0.5_f32.sqrt());
        let (within, others, across, neighbours) = of(&[2]);
        assert_eq!(neighbours, (Some(0.5), Some(0.0)));
        assert!((within.unwrap() - (1.0 + half) / 2.0).abs() < 1e-6);
        assert_eq!((others, across), (Some(0.5), Some(0.0)));
        let (within, _, across, _) = of(&[1, 2, 3, 4]);
        assert_eq!((within, across), (None, Some(1.0 / 3.0)), "the end of all is no boundary");
    }
}
