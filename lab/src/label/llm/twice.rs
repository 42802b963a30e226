//! How far a language model agrees with itself when the letters stand in another order: what it
//! says beyond that depends on the question, not on the passage.

use super::Answers;
use crate::label::{
    Agreement,
    agreement::kappa_interval,
    distil::{likeliest, without},
};

impl Answers {
    /// The agreement of the likeliest themes in the two orders of the letters, each order without
    /// what it says of anything; `None` where nothing was asked twice.
    pub fn between_orders(&self) -> Option<Agreement> {
        let mut asked = self.asked_twice();
        asked.sort_unstable();
        let means = [self.mean(0, asked.clone())?, self.mean(1, asked.clone())?];
        let theme = |document: &str, segment: u32, order: u32| {
            let said = self.get(document, segment, order)?;
            Some(likeliest(&without(said, &means[order as usize])))
        };
        let (mut documents, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
        for (document, segment) in asked {
            if let (Some(once), Some(again)) =
                (theme(document, segment, 0), theme(document, segment, 1))
            {
                documents.push(document);
                first.push(once);
                second.push(again);
            }
        }
        let with = "itself, the letters in another order";
        let agreement = Agreement::between(with, &first, &second, true)?;
        let kappa_interval = kappa_interval(&documents, &first, &second);
        Some(Agreement { kappa_interval, ..agreement })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;
    use crate::label::catalogue;

    /// Says `p` of each segment in turn, the same in both orders but for those in `turned`.
    fn asked(dir: &std::path::Path, p: &[f32], turned: &[u32]) -> Answers {
        let catalogue = &catalogue::read(None).unwrap()[..2];
        let mut answers = Answers::open(dir, catalogue).unwrap();
        for (segment, &p) in (0..).zip(p) {
            for order in [0, 1] {
                let p = if order == 1 && turned.contains(&segment) { 1.0 - p } else { p };
                let probabilities = vec![p, 1.0 - p];
                let document = "a/0".to_owned();
                let answer = Answer { document, segment, order, probabilities, asked: None };
                answers.add(answer).unwrap();
            }
        }
        answers
    }

    #[test]
    fn one_that_always_says_the_same_agrees_and_one_that_turns_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let steady = asked(dir.path(), &[0.9, 0.2, 0.8, 0.3], &[]).between_orders().unwrap();
        assert_eq!((steady.kappa, steady.segments), (Some(1.0), 4));
        let dir = tempfile::tempdir().unwrap();
        let turning = asked(dir.path(), &[0.9, 0.2, 0.8, 0.3], &[0, 1]).between_orders().unwrap();
        assert_eq!((turning.kappa, turning.segments), (Some(0.0), 4));
    }

    #[test]
    fn what_was_asked_once_is_not_compared() {
        let dir = tempfile::tempdir().unwrap();
        let catalogue = &catalogue::read(None).unwrap()[..2];
        let mut answers = Answers::open(dir.path(), catalogue).unwrap();
        assert_eq!(answers.between_orders(), None);
        let (document, probabilities) = ("a/0".to_owned(), vec![0.5, 0.5]);
        answers.add(Answer { document, segment: 0, order: 0, probabilities, asked: None }).unwrap();
        assert_eq!(answers.between_orders(), None);
    }
}
