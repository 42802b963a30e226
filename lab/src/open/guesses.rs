//! Guesses of the embedding of a coming segment: ours and all that it has to beat.

use super::{
    corpus::{self, Corpus, Origin},
    fit::Sample,
    regenerated::Regenerated,
    text,
};
use crate::{Result, Split, embed::Embed, split::stable_hash};
use ndarray::{Array1, Array2, Axis, concatenate};
use std::collections::HashMap;
use themecast_forecast::{linear::RowKind, open::OpenHead};

/// The name of the bundle's own forecasts.
pub const OURS: &str = "themecast";

/// One moment of a test answer and what came after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// The place of its row among those at boundaries.
    pub(super) row: usize,
    pub(super) origin: Origin,
    /// The place of the segment that came.
    pub(super) target: usize,
}

/// A guess for each case; none where there is nothing to guess from.
pub(super) type Guesses = Vec<Option<Array1<f32>>>;

/// What guesses are made from.
pub(super) struct Sources<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) head: &'a OpenHead,
    pub(super) embedder: &'a dyn Embed,
    /// What the text tells at boundaries.
    pub(super) text: Sample<'a>,
    both: Sample<'a>,
    /// The prompts' embeddings, *shape* `[answers, dimension]`.
    prompts: Array2<f32>,
    /// What the model would have written instead.
    regenerated: Regenerated,
    /// The test answers to other prompts, and those to the same one, by answer.
    test: Vec<usize>,
}

impl<'a> Sources<'a> {
    /// Embeds the prompts and lays out the rows of the text regressions.
    ///
    /// # Errors
    /// [`crate::LabError`] of embedding.
    pub(super) fn new(
        corpus: &'a Corpus,
        head: &'a OpenHead,
        embedder: &'a dyn Embed,
        regenerated: Regenerated,
    ) -> Result<Self> {
        let prompts: Vec<String> = corpus.answers.iter().map(|one| one.prompt.clone()).collect();
        let prompts = corpus::embed(embedder, &prompts)?;
        let set = corpus.set(RowKind::Boundary);
        let words = text::rows(corpus, set, &prompts);
        let both = concatenate(Axis(1), &[words.view(), set.rows.view()])
            .map_err(|error| crate::LabError::Data(error.to_string()))?;
        let answers = corpus.answers.iter().enumerate();
        let test = answers.filter(|(_, one)| one.split == Split::Test).map(|(at, _)| at);
        Ok(Self {
            corpus,
            head,
            embedder,
            text: Sample::of(corpus, set, words.view()),
            both: Sample::of(corpus, set, both.view()),
            prompts,
            regenerated,
            test: test.collect(),
        })
    }

    /// What the text tells at the moments within segments.
    pub(super) fn text_within(&self) -> Sample<'a> {
        let set = self.corpus.set(RowKind::Mid);
        Sample::of(self.corpus, set, text::rows(self.corpus, set, &self.prompts).view())
    }

    /// Every guess of the segments `ahead` of `cases`, by name, ours first.
    ///
    /// # Errors
    /// [`crate::LabError`] of fitting or embedding.
    pub(super) fn all(&self, cases: &[Case], ahead: usize) -> Result<Vec<(&'static str, Guesses)>> {
        let mean = self.training_mean();
        let segment = |place: usize| Some(self.corpus.embeddings.row(place).to_owned());
        let each = |of: &dyn Fn(&Case) -> Option<Array1<f32>>| cases.iter().map(of).collect();
        let so_far = |case: &Case| {
            let answer = &self.corpus.answers[case.origin.answer];
            usize::try_from(case.origin.segment).ok().map(|at| answer.first + at)
        };
        let regenerated = |most: usize| {
            self.regenerated.guesses((self.corpus, cases), (ahead, most), self.embedder)
        };
        Ok(vec![
            (OURS, each(&|case| self.ours(case, ahead))),
            ("marginal mean", each(&|_| Some(mean.clone()))),
            ("continuation", each(&|case| segment(so_far(case)?))),
            ("blind", each(&|case| segment(self.elsewhere(case, ahead, false)?))),
            ("other answer", each(&|case| segment(self.elsewhere(case, ahead, true)?))),
            ("cheat-5", self.cheat(cases, 0)?),
            ("cheat-10", self.cheat(cases, 1)?),
            ("text ridge", regress(&self.text, cases, ahead)?),
            ("text and residual ridge", regress(&self.both, cases, ahead)?),
            ("regenerated", regenerated(1)?),
            ("mean of 16 regenerated", regenerated(16)?),
        ])
    }

    fn training_mean(&self) -> Array1<f32> {
        Array1::from_vec(self.head.segments.mean.clone())
    }

    fn ours(&self, case: &Case, ahead: usize) -> Option<Array1<f32>> {
        let set = self.head.set(RowKind::Boundary);
        let mut features = self.corpus.boundary.rows.row(case.row).to_vec();
        let mut latents = Vec::new();
        set.latents(&mut features, &mut latents);
        let all = set.embeddings(&latents);
        let block = all.chunks_exact(self.head.card.dimension).nth(ahead - 1)?;
        Some(Array1::from_vec(block.to_vec()))
    }

    /// The segment of the same number in another test answer: to the same prompt, or to another.
    fn elsewhere(&self, case: &Case, ahead: usize, same_prompt: bool) -> Option<usize> {
        let own = &self.corpus.answers[case.origin.answer];
        let number = usize::try_from(i64::from(case.origin.segment) + ahead as i64).ok()?;
        let fits = |&&at: &&usize| {
            let one = &self.corpus.answers[at];
            at != case.origin.answer
                && (one.prompt_id == own.prompt_id) == same_prompt
                && one.segments > number
        };
        let others: Vec<usize> = self.test.iter().filter(fits).copied().collect();
        let pick = stable_hash(&format!("{}#{number}", own.prompt_id)) as usize;
        let other = *others.get(pick.checked_rem(others.len())?)?;
        Some(self.corpus.answers[other].first + number)
    }

    /// The embeddings of the first tokens of what came.
    fn cheat(&self, cases: &[Case], which: usize) -> Result<Guesses> {
        let opening = |case: &Case| {
            let answer = &self.corpus.answers[case.origin.answer];
            answer.openings[case.target - answer.first][which].trim().to_owned()
        };
        let texts: Vec<String> = cases.iter().map(opening).collect();
        let embedded = corpus::embed(self.embedder, &texts)?;
        Ok(embedded.rows().into_iter().map(|row| Some(row.to_owned())).collect())
    }
}

/// The forecasts of a regression of its own for `ahead`.
fn regress(sample: &Sample<'_>, cases: &[Case], ahead: usize) -> Result<Guesses> {
    let (ridge, ..) = sample.fit(ahead)?;
    let rows: Vec<usize> = cases.iter().map(|case| case.row).collect();
    let predicted: Array2<f32> = ridge.predict(sample.rows.select(Axis(0), &rows).view());
    Ok(predicted.rows().into_iter().map(|row| Some(row.to_owned())).collect())
}

/// The number of each test answer's prompt: resampling draws whole prompts.
pub(super) fn numbers(corpus: &Corpus) -> HashMap<usize, usize> {
    let mut prompts: HashMap<&str, usize> = HashMap::new();
    let test = corpus.answers.iter().enumerate().filter(|(_, one)| one.split == Split::Test);
    test.map(|(answer, one)| {
        let next = prompts.len();
        (answer, *prompts.entry(&one.prompt_id).or_insert(next))
    })
    .collect()
}
