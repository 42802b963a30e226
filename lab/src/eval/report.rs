//! What an evaluation says.

use super::{
    bootstrap::{Draws, Interval, minus, per_document},
    metrics::{Case, Scores, score},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The name of the bundle's own row.
pub const OURS: &str = "themecast";

/// Judgement of a bundle on the test split of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalReport {
    /// The collection's folder.
    pub collection: String,
    /// The bundle's folder.
    pub bundle: String,
    /// The model that wrote the answers.
    pub model_name: String,
    /// How the themes came about.
    pub labels: String,
    /// Themes in the catalogue.
    pub themes: usize,
    /// Documents of the test split.
    pub test_documents: usize,
    /// Bootstrap resamples of documents.
    pub resamples: usize,
    /// The seed of the bootstrap.
    pub seed: u64,
    /// Forecasts of coming segments against every baseline, by place and horizon.
    pub horizons: Vec<HorizonReport>,
    /// The classifier of the segment that just ended, against its label.
    pub now: Option<PlaceReport>,
    /// Forecasts from within segments, by offset: 0 is the segment being written.
    pub mid: Vec<PlaceReport>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Every model at one place and horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HorizonReport {
    /// `prompt end` or `boundary`.
    pub place: String,
    /// Segments ahead.
    pub ahead: usize,
    /// Forecasts that were scored.
    pub cases: usize,
    /// Ours first.
    pub models: Vec<ModelReport>,
}

/// One model at one place and horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// Its name.
    pub name: String,
    /// Its scores.
    pub scores: Scores,
    /// 95 % interval of the top-1.
    pub top1_interval: Option<Interval>,
    /// 95 % interval of the mean loss, in nats.
    pub nll_interval: Option<Interval>,
    /// Ours minus this model; none for ours.
    pub difference: Option<Difference>,
}

/// Ours minus a baseline, on the same resamples of documents.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Of the top-1: above 0, ours is right more often.
    pub top1: f64,
    /// Its 95 % interval.
    pub top1_interval: Option<Interval>,
    /// Of the mean loss in nats: below 0, ours loses less.
    pub nll_nats: f64,
    /// Its 95 % interval.
    pub nll_interval: Option<Interval>,
}

/// Our scores alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceReport {
    /// Segments after the one of the last token read.
    pub offset: usize,
    /// Forecasts that were scored.
    pub cases: usize,
    /// The scores.
    pub scores: Scores,
    /// 95 % interval of the top-1.
    pub top1_interval: Option<Interval>,
    /// 95 % interval of the mean loss, in nats.
    pub nll_interval: Option<Interval>,
}

fn hits(case: &Case<'_>) -> f64 {
    f64::from(u8::from(case.hit(1)))
}

fn surprise(case: &Case<'_>) -> f64 {
    case.surprise()
}

/// Compares models over the same cases; the first one is ours.
pub(super) fn compare(
    place: &str,
    ahead: usize,
    models: &[(String, Vec<Case<'_>>)],
    documents: usize,
    draws: &Draws,
) -> Option<HorizonReport> {
    let (_, own) = models.first()?;
    let own_scores = score(own)?;
    let own_sums = (per_document(own, documents, hits), per_document(own, documents, surprise));
    let report = |(number, (name, cases)): (usize, &(String, Vec<Case<'_>>))| {
        let scores = score(cases)?;
        let top1 = per_document(cases, documents, hits);
        let nll = per_document(cases, documents, surprise);
        let difference = (number > 0).then(|| Difference {
            top1: own_scores.top1 - scores.top1,
            top1_interval: draws.interval(&minus(&own_sums.0, &top1)),
            nll_nats: own_scores.nll_nats - scores.nll_nats,
            nll_interval: draws.interval(&minus(&own_sums.1, &nll)),
        });
        Some(ModelReport {
            name: name.clone(),
            scores,
            top1_interval: draws.interval(&top1),
            nll_interval: draws.interval(&nll),
            difference,
        })
    };
    let models = models.iter().enumerate().filter_map(report).collect();
    Some(HorizonReport { place: place.to_owned(), ahead, cases: own.len(), models })
}

/// Our scores alone over `cases`.
pub(super) fn alone(
    offset: usize,
    cases: &[Case<'_>],
    documents: usize,
    draws: &Draws,
) -> Option<PlaceReport> {
    Some(PlaceReport {
        offset,
        cases: cases.len(),
        scores: score(cases)?,
        top1_interval: draws.interval(&per_document(cases, documents, hits)),
        nll_interval: draws.interval(&per_document(cases, documents, surprise)),
    })
}

impl EvalReport {
    /// Our scores at `place` (`prompt end`, `boundary`), `ahead` segments ahead.
    pub fn ours(&self, place: &str, ahead: usize) -> Option<&ModelReport> {
        self.model(place, ahead, OURS)
    }

    /// The scores of the model `name` at `place`, `ahead` segments ahead.
    pub fn model(&self, place: &str, ahead: usize, name: &str) -> Option<&ModelReport> {
        let found = |one: &&HorizonReport| one.place == place && one.ahead == ahead;
        let horizon = self.horizons.iter().find(found)?;
        horizon.models.iter().find(|model| model.name == name)
    }

    /// The main figures, for the card of a bundle.
    pub(super) fn summary_json(&self) -> serde_json::Value {
        let model = |model: &ModelReport| {
            json!({
                "model": model.name, "top1": model.scores.top1, "top3": model.scores.top3,
                "nll_nats": model.scores.nll_nats, "ece": model.scores.ece,
                "nll_difference": model.difference.map(|difference| difference.nll_nats),
                "nll_difference_interval":
                    model.difference.and_then(|difference| difference.nll_interval),
            })
        };
        let horizon = |one: &HorizonReport| {
            let models: Vec<_> = one.models.iter().map(model).collect();
            json!({ "place": one.place, "ahead": one.ahead, "cases": one.cases, "models": models })
        };
        json!({
            "collection": self.collection,
            "test_documents": self.test_documents,
            "horizons": self.horizons.iter().map(horizon).collect::<Vec<_>>(),
        })
    }
}
