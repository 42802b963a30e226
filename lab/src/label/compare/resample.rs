//! Other documents to fit on, the same ones to judge.

use crate::{Split, label::Segment};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use std::collections::BTreeMap;

/// `segments` with as many training documents, drawn with replacement; the other splits as they
/// are, in order. A document that is drawn twice is there twice under its own id, so that what is
/// known of it counts twice.
pub(super) fn bootstrap(segments: &[Segment], seed: u64) -> Vec<Segment> {
    let mut documents: BTreeMap<&str, Vec<&Segment>> = BTreeMap::new();
    for segment in segments.iter().filter(|one| one.split == Split::Train) {
        documents.entry(&segment.document).or_default().push(segment);
    }
    let documents: Vec<Vec<&Segment>> = documents.into_values().collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut counts = vec![0_usize; documents.len()];
    for _ in 0..documents.len() {
        counts[(random.next_u64() % documents.len() as u64) as usize] += 1;
    }
    // Round by round: copies of a document don't follow each other as if they were one text.
    let rounds = counts.iter().copied().max().unwrap_or(0);
    let drawn = (0..rounds).flat_map(|round| {
        let still = documents.iter().zip(&counts).filter(move |(_, count)| **count > round);
        still.flat_map(|(document, _)| document.iter().copied())
    });
    let others = segments.iter().filter(|one| one.split != Split::Train);
    drawn.chain(others).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn training_documents_are_drawn_and_the_others_stay() {
        let one = |number: u32| Segment {
            document: format!("d{}", number / 2),
            split: if number < 200 { Split::Train } else { Split::Test },
            segment: number % 2,
            first_token: 0,
            end_token: 1,
            text: number.to_string(),
        };
        let segments: Vec<Segment> = (0..240).map(one).collect();
        let drawn = bootstrap(&segments, 1);
        assert_eq!(drawn.len(), 240);
        assert_eq!(drawn[200..], segments[200..]);
        let distinct: HashSet<&str> =
            drawn[..200].iter().map(|one| one.document.as_str()).collect();
        assert!(distinct.len().abs_diff(63) < 12, "{}", distinct.len());
        assert!(drawn[..200].chunks(2).all(|two| two[0].document == two[1].document));
        assert_ne!(drawn, bootstrap(&segments, 2));
        assert_eq!(drawn, bootstrap(&segments, 1));
    }
}
