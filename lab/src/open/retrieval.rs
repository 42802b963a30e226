//! Finding the segment that came among segments of other answers.

use super::{
    corpus::Corpus,
    fit::cosine,
    guesses::{Case, Guesses},
};
use crate::Split;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};

/// The segments that each case's own is hidden among: drawn from the test answers to other
/// prompts, `among − 1` of them, the same for every guesser.
pub(super) fn crowds(corpus: &Corpus, cases: &[Case], among: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let test: Vec<(usize, &str)> = corpus
        .answers
        .iter()
        .filter(|answer| answer.split == Split::Test)
        .flat_map(|one| (one.first..one.first + one.segments).map(|at| (at, &*one.prompt_id)))
        .collect();
    let mut crowd = |case: &Case| {
        let own = corpus.answers[case.origin.answer].prompt_id.as_str();
        let mut others: Vec<usize> =
            test.iter().filter(|(_, prompt)| *prompt != own).map(|(at, _)| *at).collect();
        let wanted = (among - 1).min(others.len());
        for place in 0..wanted {
            let rest = (others.len() - place) as u64;
            others.swap(place, place + (random.next_u64() % rest) as usize);
        }
        others.truncate(wanted);
        others
    };
    cases.iter().map(&mut crowd).collect()
}

/// For each case with a guess, the rank of what came by its cosine to the guess, from 1; of equals
/// half count as better, so that a guess that tells nothing has the middle rank.
pub(super) fn ranks(
    corpus: &Corpus,
    cases: &[Case],
    guesses: &Guesses,
    crowds: &[Vec<usize>],
) -> Vec<Option<f64>> {
    let rank = |((case, guess), crowd): ((&Case, &Option<_>), &Vec<usize>)| {
        let guess: &ndarray::Array1<f32> = guess.as_ref()?;
        let of = |place: usize| cosine(guess.view(), corpus.embeddings.row(place));
        let own = of(case.target);
        let worth = |&place: &usize| match of(place).total_cmp(&own) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        Some(1.0 + crowd.iter().map(worth).sum::<f64>())
    };
    cases.iter().zip(guesses).zip(crowds).map(rank).collect()
}
