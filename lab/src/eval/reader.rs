//! The same forecasts held against what a reader said of the coming segments, not against what
//! was learnt from it.
//!
//! Labels that a classifier gives are noisy, and where it reads the same sentence embeddings as
//! a baseline its noise favours that baseline. What a reader said favours nobody.

use super::{
    bootstrap::Interval,
    events::{BySplit, Event, Part, Place, Story},
    judge::Judge,
    metrics::{Case, Scores},
    models::Model,
    report::Difference,
};
use crate::{
    LabError, Result,
    label::{Labels, llm},
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, path::Path};

/// One model where a reader saw the coming segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReaderReport {
    /// `boundary`, `4 tokens in` …
    #[serde(default)]
    pub place: String,
    /// Segments ahead; 0 is the segment being written.
    pub ahead: usize,
    /// The model.
    pub model: String,
    /// Forecasts that were scored.
    pub cases: usize,
    /// Mean loss of the label that came, in nats.
    pub labels_nll_nats: f64,
    /// Share whose likeliest theme is that label.
    pub labels_top1: f64,
    /// Mean loss of the theme that the reader chose, in nats.
    pub reader_nll_nats: f64,
    /// Share whose likeliest theme the reader chose.
    pub reader_top1: f64,
    /// Share whose likeliest theme the reader chose or found nearly as good.
    pub either_top1: f64,
    /// All scores by the reader: calibration and sets too.
    #[serde(default)]
    pub reader_scores: Option<Scores>,
    /// The 95 % interval of the coverage among them.
    #[serde(default)]
    pub reader_coverage_interval: Option<Interval>,
    /// Ours minus this model by the labels; none for ours.
    pub labels_difference: Option<Difference>,
    /// The same by the reader.
    pub reader_difference: Option<Difference>,
}

/// What a reader said of single segments.
#[derive(Debug)]
pub(super) struct Reader {
    /// By document and segment: the theme, and another that is nearly as good.
    said: HashMap<(String, u32), (u32, Option<u32>)>,
}

impl Reader {
    /// Reads the answers in the file `path`; such as are about another text than the labels' do
    /// not count.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::Format`]; [`LabError::Data`] where no answer counts.
    pub(super) fn read(path: &Path, labels: &Labels) -> Result<Self> {
        let texts: HashMap<(&str, u32), &str> = labels
            .segments
            .iter()
            .map(|one| ((one.document.as_str(), one.segment), one.text.as_str()))
            .collect();
        let number = |id: &str| {
            labels.themes.iter().position(|theme| theme.id == id).map(|place| place as u32)
        };
        let mut said = HashMap::new();
        for choice in llm::choices(path)? {
            let text = texts.get(&(choice.document.as_str(), choice.segment));
            let Some(theme) =
                number(&choice.theme).filter(|_| text.is_some_and(|text| choice.is_of(text)))
            else {
                continue;
            };
            let alternate = choice.alternate.as_deref().and_then(number);
            said.insert((choice.document, choice.segment), (theme, alternate));
        }
        match said.is_empty() {
            true => Err(LabError::Data(format!(
                "{}: no answer is about a segment of this collection",
                path.display()
            ))),
            false => Ok(Self { said }),
        }
    }

    /// What the reader said of the segments `ahead` of every event of `part`.
    pub(super) fn targets(&self, part: &Part, stories: &[Story], ahead: usize) -> Vec<Option<u32>> {
        part.events.iter().map(|event| Some(self.of(event, stories, ahead)?.0)).collect()
    }

    fn of(&self, event: &Event, stories: &[Story], ahead: usize) -> Option<(u32, Option<u32>)> {
        let segment = u32::try_from(event.segment + ahead as i32).ok()?;
        self.said.get(&(stories[event.story].id.clone(), segment)).copied()
    }

    /// Forecasts of what is `ahead` at `place`, where the reader saw what came.
    pub(super) fn both<'f>(
        &self,
        (judge, stories): (&Judge<'_>, &[Story]),
        part: &Part,
        forecasts: &'f [f32],
        (place, ahead): (Place, usize),
    ) -> Both<'f> {
        let said = |event: &Event| self.of(event, stories, ahead);
        let here = |event: &Event| event.place == place && said(event).is_some();
        let labelled = judge.cases(&part.events, forecasts, ahead, here);
        let events = part.events.iter().filter(|event| here(event) && event.came(ahead).is_some());
        let said: Vec<_> = events.filter_map(said).collect();
        let pairs = labelled.iter().zip(&said);
        let read = pairs.map(|(case, (theme, _))| Case { came: *theme, ..*case }).collect();
        Both { labelled, read, said }
    }

    /// Every model at `place` of the test split, where the reader saw what came `ahead`; ours
    /// first. `number` is the place of `ahead` in their forecasts.
    pub(super) fn reports(
        &self,
        (judge, stories): (&Judge<'_>, &[Story]),
        place: Place,
        (number, ahead): (usize, usize),
        (models, parts): (&[Model], &BySplit<Part>),
    ) -> Vec<ReaderReport> {
        let part = &parts.test;
        let both: Vec<(&Model, Both<'_>)> = models
            .iter()
            .filter_map(|model| {
                let forecasts = &model.by_ahead.get(number)?.test;
                Some((model, self.both((judge, stories), part, forecasts, (place, ahead))))
            })
            .filter(|(_, both)| !both.labelled.is_empty())
            .collect();
        let own = both.first().map(|(_, own)| own);
        let report = |(at, (model, found)): (usize, &(&Model, Both<'_>))| {
            let scores = found.report(judge, own.filter(|_| at > 0));
            let least = judge.least(place, (number, ahead), model, &parts.validation);
            let sets = judge.alone(ahead, &found.read, least);
            let reader_sets = sets.map(|alone| (alone.scores, alone.intervals.coverage)).unzip();
            ReaderReport {
                place: place.name(),
                ahead,
                model: model.name.clone(),
                reader_scores: reader_sets.0,
                reader_coverage_interval: reader_sets.1.flatten(),
                ..scores
            }
        };
        both.iter().enumerate().map(report).collect()
    }
}

/// One model's cases with the label that came, and with what the reader said came.
pub(super) struct Both<'a> {
    labelled: Vec<Case<'a>>,
    pub(super) read: Vec<Case<'a>>,
    said: Vec<(u32, Option<u32>)>,
}

impl Both<'_> {
    fn report(&self, judge: &Judge<'_>, own: Option<&Self>) -> ReaderReport {
        let mean = |cases: &[Case<'_>], of: &dyn Fn(&Case<'_>) -> f64| {
            cases.iter().map(of).sum::<f64>() / cases.len() as f64
        };
        let surprise = |case: &Case<'_>| case.surprise();
        let top1 = |case: &Case<'_>| f64::from(u8::from(case.hit(1)));
        let either = self.read.iter().zip(&self.said).filter(|(case, (theme, alternate))| {
            let likeliest = case.likeliest() as u32;
            likeliest == *theme || Some(likeliest) == *alternate
        });
        ReaderReport {
            place: String::new(),
            ahead: 0,
            model: String::new(),
            cases: self.read.len(),
            labels_nll_nats: mean(&self.labelled, &surprise),
            labels_top1: mean(&self.labelled, &top1),
            reader_nll_nats: mean(&self.read, &surprise),
            reader_top1: mean(&self.read, &top1),
            either_top1: either.count() as f64 / self.read.len() as f64,
            reader_scores: None,
            reader_coverage_interval: None,
            labels_difference: own.and_then(|own| judge.difference(&own.labelled, &self.labelled)),
            reader_difference: own.and_then(|own| judge.difference(&own.read, &self.read)),
        }
    }
}
