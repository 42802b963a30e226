//! The figures of an evaluation that a bundle carries on its card.

use super::{
    EvalReport, OURS,
    report::{HorizonReport, ModelReport},
};
use serde_json::{Value, json};
use std::path::Path;

impl EvalReport {
    /// The main figures, for the card of a bundle.
    pub fn summary_json(&self) -> Value {
        let resampled = self.resampled.iter().filter(|one| one.name == OURS || one.tokens > 0.0);
        json!({
            // A card travels: where the folder lay does not matter to anybody.
            "collection": Path::new(&self.collection).file_name().map(|name| name.to_string_lossy()),
            "test_documents": self.test_documents,
            "horizons": self.horizons.iter().map(horizon).collect::<Vec<_>>(),
            "within_segments": self.mid,
            "joint": self.joint,
            "reader": self.reader.iter().filter(|one| one.model == OURS).collect::<Vec<_>>(),
            "resampled": resampled.collect::<Vec<_>>(),
            "held_out": self.held_out.as_ref().map(|held_out| {
                let ours = held_out.groups.iter().filter(|one| one.model == OURS);
                json!({
                    "groups": ours.collect::<Vec<_>>(),
                    "recognisers": held_out.recognisers,
                })
            }),
        })
    }
}

fn horizon(one: &HorizonReport) -> Value {
    json!({
        "place": one.place, "ahead": one.ahead, "cases": one.cases, "best_text": one.best_text,
        "models": one.models.iter().map(model).collect::<Vec<_>>(),
    })
}

fn model(model: &ModelReport) -> Value {
    let (scores, difference) = (&model.scores, model.difference.as_ref());
    json!({
        "model": model.name,
        "top1": scores.top1, "top1_interval": model.intervals.top1, "top3": scores.top3,
        "macro_f1": scores.macro_f1, "brier": scores.brier,
        "nll_nats": scores.nll_nats, "nll_interval": model.intervals.nll,
        "ece": scores.ece, "ece_by_chance": scores.ece_by_chance,
        "coverage": scores.coverage, "coverage_interval": model.intervals.coverage,
        "set_size": scores.set_size, "changes_top1": scores.transitions_top1,
        "top1_difference": difference.map(|difference| difference.top1),
        "top1_difference_interval": difference.and_then(|difference| difference.top1_interval),
        "nll_difference": difference.map(|difference| difference.nll_nats),
        "nll_difference_interval": difference.and_then(|difference| difference.nll_interval),
    })
}
