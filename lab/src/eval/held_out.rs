//! Scores of groups that nothing was trained on, apart from the test split's.

use super::{
    collected::Collected,
    events::{Event, Part, Place},
    judge::{Judge, with_sets},
    models::Model,
    more_reports::GroupReport,
    report::HorizonReport,
};
use std::collections::{BTreeSet, HashSet};

/// Scores ours and the best text baseline at boundaries: in the test split, in its groups, and in
/// each group that was held out.
/// Conformal sets are those of the validation split.
pub(super) fn groups(
    collected: &Collected,
    models: &[Model],
    horizons: &[HorizonReport],
    (judge, strangers): (&Judge<'_>, &Judge<'_>),
) -> Vec<GroupReport> {
    let held_out = &collected.boundary.held_out;
    let group_of = |event: &Event| collected.stories[event.story].group.as_str();
    let names: BTreeSet<&str> = held_out.events.iter().map(group_of).collect();
    let of_test: BTreeSet<&str> = collected
        .boundary
        .test
        .events
        .iter()
        .map(group_of)
        .filter(|name| !name.is_empty())
        .collect();
    let mut reports = Vec::new();
    for horizon in horizons.iter().filter(|one| one.place == Place::Boundary.name()) {
        let chosen = models.iter().enumerate();
        let chosen = chosen.filter(|(at, model)| *at == 0 || model.name == horizon.best_text);
        for (_, model) in chosen {
            let at = (horizon.ahead - 1, horizon.ahead);
            let least = judge.least(Place::Boundary, at, model, &collected.boundary.validation);
            let fitted = &model.by_ahead[at.0];
            let mut add = |group: &str, judge: &Judge<'_>, part: &Part, forecasts: &[f32]| {
                let test = std::ptr::eq(part, &collected.boundary.test);
                let named = group.strip_prefix("test: ").unwrap_or(group);
                let wanted = |event: &Event| {
                    let all = test && group == "test";
                    event.place == Place::Boundary && (all || group_of(event) == named)
                };
                let cases = judge.cases(&part.events, forecasts, at.1, wanted);
                let Some(scores) = with_sets(&cases, least) else { return };
                let (top1_interval, nll_interval) = judge.intervals(&cases);
                reports.push(GroupReport {
                    group: group.to_owned(),
                    documents: documents(part, wanted),
                    ahead: at.1,
                    model: model.name.clone(),
                    scores,
                    top1_interval,
                    nll_interval,
                });
            };
            add("test", judge, &collected.boundary.test, &fitted.test);
            for name in &of_test {
                add(&format!("test: {name}"), judge, &collected.boundary.test, &fitted.test);
            }
            for name in &names {
                add(name, strangers, held_out, &fitted.held_out);
            }
        }
    }
    reports
}

fn documents(part: &Part, wanted: impl Fn(&Event) -> bool) -> usize {
    let stories: HashSet<usize> =
        part.events.iter().filter(|event| wanted(event)).map(|event| event.story).collect();
    stories.len()
}
