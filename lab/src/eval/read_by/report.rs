//! What the comparison says: plain data, and as a table.

use super::{
    super::{
        bootstrap::Interval,
        events::{Event, Part, Place},
        fit::Setup,
        judge::Judge,
        metrics::Case,
        models::Model,
        report::{Difference, PlaceReport},
        table::{Table, difference_cells, number, with_interval},
    },
    fit::{BOTH, OWN},
};
use serde::{Deserialize, Serialize};

/// Two models' activations on the same texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadByReport {
    /// The model that wrote the answers.
    pub writer: String,
    /// The model that read them.
    pub reader: String,
    /// Where the residuals of writer and reader were taken, as the validation split chose.
    pub sites: [String; 2],
    /// Documents for training, validation and test.
    pub documents: [usize; 3],
    /// Bootstrap resamples of prompts.
    pub resamples: usize,
    /// The seed of the bootstrap.
    pub seed: u64,
    /// Every model at every place and horizon, the writer's first.
    pub rows: Vec<ReadByRow>,
}

/// One model at one place and horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadByRow {
    /// `prompt end` or `boundary`.
    pub place: String,
    /// Segments ahead.
    pub ahead: usize,
    /// The model.
    pub model: String,
    /// Forecasts that were scored.
    pub cases: usize,
    /// Mean loss, in nats.
    pub nll_nats: f64,
    /// Its 95 % interval.
    pub nll_interval: Option<Interval>,
    /// Share whose likeliest theme came.
    pub top1: f64,
    /// The writer's activations minus this model.
    pub own_minus: Option<Difference>,
    /// Both models' activations minus this model: what is added to it.
    pub both_minus: Option<Difference>,
}

/// Scores `models` on the events of `test`.
pub(super) fn rows(
    judge: &Judge<'_>,
    models: &[Model],
    test: &Part,
    setup: &Setup,
) -> Vec<ReadByRow> {
    let places = [Place::PromptEnd, Place::Boundary].into_iter();
    let all = places.flat_map(|place| setup.aheads.iter().map(move |&ahead| (place, ahead)));
    let at = |(place, ahead): (Place, usize)| {
        let here = |event: &Event| event.place == place;
        let scored: Vec<(&Model, Vec<Case<'_>>)> = models
            .iter()
            .map(|model| {
                (model, judge.cases(&test.events, &model.by_ahead[ahead - 1].test, ahead, here))
            })
            .collect();
        let of = |name: &str| scored.iter().find(|(model, _)| model.name == name);
        let minus = |name: &str, (model, cases): &(&Model, Vec<Case<'_>>)| {
            let (_, first) = of(name).filter(|_| model.name != name)?;
            judge.difference(first, cases)
        };
        let row = |one: &(&Model, Vec<Case<'_>>)| {
            let PlaceReport { cases, scores, intervals, .. } = judge.alone(ahead, &one.1, None)?;
            Some(ReadByRow {
                place: place.name(),
                ahead,
                model: one.0.name.clone(),
                cases,
                nll_nats: scores.nll_nats,
                nll_interval: intervals.nll,
                top1: scores.top1,
                own_minus: minus(OWN, one),
                both_minus: minus(BOTH, one),
            })
        };
        scored.iter().filter_map(row).collect::<Vec<_>>()
    };
    all.flat_map(at).collect()
}

impl ReadByReport {
    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let [train, validation, test] = self.documents;
        let [own, other] = &self.sites;
        format!(
            "# {} read by {}\n\n{train} training, {validation} validation and {test} test \
             documents; residuals of the writer: {own}, of the reader: {other}. Brackets: 95 % \
             intervals over {} resamples of prompts.\n\n{}",
            self.writer,
            self.reader,
            self.resamples,
            self.table().to_markdown()
        )
    }

    fn table(&self) -> Table {
        let row = |one: &ReadByRow| {
            let [top1, nats] = difference_cells(one.own_minus.as_ref());
            let [_, added] = difference_cells(one.both_minus.as_ref());
            vec![
                one.place.clone(),
                one.ahead.to_string(),
                one.model.clone(),
                one.cases.to_string(),
                with_interval(one.nll_nats, one.nll_interval, false),
                number(Some(one.top1)),
                nats,
                top1,
                added,
            ]
        };
        Table {
            title: String::new(),
            head: &[
                "place",
                "ahead",
                "model",
                "cases",
                "NLL (nats)",
                "top-1",
                "own − it: NLL",
                "own − it: top-1",
                "both − it: NLL",
            ],
            rows: self.rows.iter().map(row).collect(),
        }
    }
}
