//! Scores of groups that nothing was trained on, apart from the test split's.

use super::{
    collected::Collected,
    events::{Event, Part, Place},
    judge::Judge,
    models::Model,
    more_reports::GroupReport,
    report::HorizonReport,
};
use std::collections::{BTreeSet, HashSet};

/// Scores ours and the best text baseline, `models` being those at boundaries and those within
/// segments: in the test split, in each group that was held out and, but within segments, in the
/// test split's groups. Conformal sets are those of the validation split.
pub(super) fn groups(
    collected: &Collected,
    (at_boundaries, within): (&[Model], &[Model]),
    horizons: &[HorizonReport],
    (judge, strangers): (&Judge<'_>, &Judge<'_>),
) -> Vec<GroupReport> {
    let mut reports = Vec::new();
    for horizon in horizons {
        let Some(place) = Place::named(&horizon.place) else { continue };
        let inside = matches!(place, Place::Within(_));
        let (models, parts) = match inside {
            true => (within, &collected.within),
            false => (at_boundaries, &collected.boundary),
        };
        let at = (horizon.ahead - usize::from(!inside), horizon.ahead);
        let chosen = models.iter().enumerate();
        let chosen = chosen.filter(|(at, model)| *at == 0 || model.name == horizon.best_text);
        for (number, model) in chosen {
            let least = judge.least(place, at, model, &parts.validation);
            let (its, ours) = (&model.by_ahead[at.0], &models[0].by_ahead[at.0]);
            let ours = Some(ours).filter(|_| number > 0);
            let test = (&parts.test, &its.test[..], ours.map(|ours| &ours.test[..]));
            let strange = (&parts.held_out, &its.held_out[..], ours.map(|ours| &ours.held_out[..]));
            let scored = Scored { collected, place, ahead: at.1, model, least };
            reports.extend(scored.group("test".to_owned(), None, judge, test));
            let of_test = if inside { BTreeSet::new() } else { names(collected, &parts.test) };
            for name in of_test {
                reports.extend(scored.group(format!("test: {name}"), Some(name), judge, test));
            }
            for name in names(collected, &parts.held_out) {
                reports.extend(scored.group(name.to_owned(), Some(name), strangers, strange));
            }
        }
    }
    reports
}

/// Forecasts of one model at one place and horizon.
struct Scored<'a> {
    collected: &'a Collected,
    place: Place,
    ahead: usize,
    model: &'a Model,
    /// The probability from which a theme is in a conformal set.
    least: Option<f32>,
}

impl Scored<'_> {
    /// The documents of `part` in the group `of`, or all of them.
    fn group(
        &self,
        group: String,
        of: Option<&str>,
        judge: &Judge<'_>,
        (part, forecasts, ours): (&Part, &[f32], Option<&[f32]>),
    ) -> Option<GroupReport> {
        let wanted = |event: &Event| {
            let here = of.is_none_or(|name| self.collected.stories[event.story].group == name);
            event.place == self.place && here
        };
        let cases = |forecasts| judge.cases(&part.events, forecasts, self.ahead, wanted);
        let found = cases(forecasts);
        let alone = judge.alone(self.ahead, &found, self.least)?;
        let scored = |event: &&Event| wanted(event) && event.came(self.ahead).is_some();
        let documents: HashSet<usize> =
            part.events.iter().filter(scored).map(|event| event.story).collect();
        Some(GroupReport {
            group,
            place: self.place.name(),
            documents: documents.len(),
            ahead: self.ahead,
            model: self.model.name.clone(),
            scores: alone.scores,
            intervals: alone.intervals,
            ours_minus: ours.and_then(|ours| judge.difference(&cases(ours), &found)),
        })
    }
}

/// The groups that events of `part` belong to.
fn names<'a>(collected: &'a Collected, part: &Part) -> BTreeSet<&'a str> {
    let of = |event: &Event| collected.stories[event.story].group.as_str();
    part.events.iter().map(of).filter(|name| !name.is_empty()).collect()
}
