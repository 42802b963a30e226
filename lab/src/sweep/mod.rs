//! Which layer, which normalisation: the same linear head on every site of a collection.
//!
//! Everything is compared on the validation split; the test split is used for the chosen one
//! alone. No bundle is read or written here.

mod report;

pub use report::{ClosedForm, SweepReport, Tried};

use crate::{
    LabError, Result,
    closed_form::{self, Gram, Method},
    dataset::CollectionInfo,
    eval::{
        Difference,
        collected::{Collected, Reading},
        events::Part,
        fit::{self, Design, Fitted, Setup},
        judge, text,
    },
    label::Labels,
    pace::Pace,
    replay,
    train::{logistic::Matrix, scaler::Scaler},
};
use std::{path::Path, time::Instant};
use themecast_plugin_api::Site;

/// The most optimiser steps per fit.
const STEPS: u64 = 150;

/// Resamples of prompts for intervals, and their seed.
const DRAWS: (usize, u64) = (1000, 1);

/// Of one normalisation: what was read with it, and whether columns are z-scored.
#[derive(Clone, Copy)]
struct Normalisation {
    name: &'static str,
    layer_norm: bool,
    z_score: bool,
}

const NORMALISATIONS: [Normalisation; 4] = [
    Normalisation { name: "z-score", layer_norm: false, z_score: true },
    Normalisation { name: "none", layer_norm: false, z_score: false },
    Normalisation { name: "LayerNorm", layer_norm: true, z_score: false },
    Normalisation { name: "LayerNorm, then z-score", layer_norm: true, z_score: true },
];

/// What was tried, its forecasts, and how it was made.
type Found = (Tried, Fitted, Normalisation, Vec<Site>);

/// The collection, read with one kind of residuals.
struct Bench<'a> {
    collected: Collected,
    setup: Setup,
    progress: &'a dyn Fn(&str),
}

/// Sweeps over the sites of the labelled collection in `dir`.
///
/// # Errors
/// [`LabError`] of reading and fitting.
pub fn run(dir: &Path, progress: &dyn Fn(&str)) -> Result<SweepReport> {
    let info = CollectionInfo::load(dir)?;
    let labels = Labels::load(dir)?;
    let chains = replay::chains(&labels)?;
    let setup = Setup { themes: labels.themes.len(), aheads: vec![1], steps: STEPS };
    let read = |layer_norm: bool| -> Result<Bench<'_>> {
        progress("reading the collection");
        let (sites, hidden) = (&*info.sites, info.model.hidden_size);
        let reading = Reading { sites, hidden, layer_norm, within: false };
        let collected = Collected::read(dir, &labels, &chains, reading, progress)?;
        Ok(Bench { collected, setup: setup.clone(), progress })
    };
    let mut found: Vec<Found> = Vec::new();
    let together = info.sites.len().saturating_sub(1).min(2);
    let all = NORMALISATIONS.len() * info.sites.len() + together;
    let pace = Pace::new("combinations fitted", progress);
    for layer_norm in [false, true] {
        let bench = read(layer_norm)?;
        for normalisation in NORMALISATIONS.iter().filter(|one| one.layer_norm == layer_norm) {
            for &site in &info.sites {
                found.push(bench.try_one(&[site], *normalisation)?);
                pace.at(found.len(), all);
            }
        }
    }
    // Sites together, the two best ones and all, as the best single one was normalised.
    found.sort_by(|a, b| a.0.validation_nll_nats.total_cmp(&b.0.validation_nll_nats));
    let best = found.first().map_or(NORMALISATIONS[0], |one| one.2);
    let bench = read(best.layer_norm)?;
    let mut ranked: Vec<Site> = Vec::new();
    for one in found.iter().filter(|one| one.2.name == best.name) {
        ranked.extend(&one.3);
    }
    if ranked.len() > 1 {
        found.push(bench.try_one(&ranked[..2], best)?);
        pace.at(found.len(), all);
    }
    if ranked.len() > 2 {
        found.push(bench.try_one(&info.sites, best)?);
        pace.at(found.len(), all);
    }
    found.sort_by(|a, b| a.0.validation_nll_nats.total_cmp(&b.0.validation_nll_nats));
    bench.report(dir, &found, best)
}

impl Bench<'_> {
    fn try_one(&self, sites: &[Site], normalisation: Normalisation) -> Result<Found> {
        let started = Instant::now();
        let write = |part: &Part, event: usize, out: &mut Vec<f32>| {
            self.write(sites, part, event, out);
        };
        let residuals = self.residuals(sites);
        let raw = (!normalisation.z_score).then_some(0..residuals);
        let design = Design::plain(&write, raw);
        let parts = &self.collected.boundary;
        let targets = fit::targets(parts, &self.setup);
        let fitted = fit::fit(&design, parts, &targets, &self.setup)?;
        let fitted = fitted.into_iter().next().unwrap_or_default();
        let (nats, top1) = scored(&fitted.validation, &parts.validation, self.setup.themes);
        let tried = Tried {
            sites: sites.iter().map(Site::to_string).collect(),
            normalisation: normalisation.name.to_owned(),
            features: residuals + 4 + text::themes_width(self.setup.themes),
            validation_nll_nats: nats,
            validation_top1: top1,
            minus_chosen: None,
            seconds: started.elapsed().as_secs_f64(),
        };
        (self.progress)(&format!(
            "{} {}: {:.3} nats, top-1 {:.3} on the validation split, {:.1} s",
            tried.sites.join(" + "),
            tried.normalisation,
            tried.validation_nll_nats,
            tried.validation_top1,
            tried.seconds
        ));
        Ok((tried, fitted, normalisation, sites.to_vec()))
    }

    /// How many columns are of residuals.
    fn residuals(&self, sites: &[Site]) -> usize {
        3 * self.collected.layout.hidden * sites.len()
    }

    fn write(&self, sites: &[Site], part: &Part, event: usize, out: &mut Vec<f32>) {
        let row = part.row(event);
        for columns in self.collected.columns_of(sites) {
            out.extend_from_slice(&row[columns]);
        }
        out.extend_from_slice(&row[self.collected.layout.position()]);
        text::write_themes(&part.events[event], self.setup.themes, out);
    }

    fn report(&self, dir: &Path, found: &[Found], best: Normalisation) -> Result<SweepReport> {
        let (chosen, fitted, ..) =
            found.first().ok_or_else(|| LabError::data("the collection has no site"))?;
        let parts = &self.collected.boundary;
        let (nats, top1) = scored(&fitted.test, &parts.test, self.setup.themes);
        let count = |part: &Part| part.targets(1).iter().flatten().count();
        let tried = |one: &Found| {
            let minus_chosen = (!std::ptr::eq(one, &found[0]))
                .then(|| self.apart(&parts.validation, &one.1.validation, &fitted.validation))
                .flatten();
            Tried { minus_chosen, ..one.0.clone() }
        };
        Ok(SweepReport {
            collection: dir.display().to_string(),
            rows: [&parts.train, &parts.validation, &parts.test].map(count),
            tried: found.iter().map(tried).collect(),
            chosen: Some(chosen.clone()),
            test_nll_nats: nats,
            test_top1: top1,
            closed_form: self.closed_forms(found, best)?,
        })
    }

    /// Forecasts `a` minus forecasts `b` of the events of `part`.
    fn apart(&self, part: &Part, a: &[f32], b: &[f32]) -> Option<Difference> {
        judge::apart((part, &self.collected.stories), (a, b), self.setup.themes, DRAWS)
    }

    /// The best single site of the normalisation that was read last, by every method.
    fn closed_forms(&self, found: &[Found], best: Normalisation) -> Result<Vec<ClosedForm>> {
        let mut single = found.iter().filter(|one| one.3.len() == 1 && one.2.name == best.name);
        let Some((tried, fitted, _, sites)) = single.next() else { return Ok(Vec::new()) };
        let parts = &self.collected.boundary;
        let (nats, top1) = scored(&fitted.test, &parts.test, self.setup.themes);
        let mut all = vec![ClosedForm {
            method: format!("L-BFGS ({}, {})", tried.sites.join(" + "), best.name),
            strength: None,
            validation_nll_nats: tried.validation_nll_nats,
            test_nll_nats: nats,
            test_top1: top1,
            minus_gradients: None,
            seconds: tried.seconds,
        }];
        for (name, method) in [("shrinkage LDA", Method::Lda), ("ridge", Method::Ridge)] {
            all.push(self.closed_form((sites, best), &fitted.test, (name, method))?);
            (self.progress)(&format!("{name}: {:.3} nats", all[all.len() - 1].test_nll_nats));
        }
        Ok(all)
    }

    fn closed_form(
        &self,
        (sites, normalisation): (&[Site], Normalisation),
        by_gradients: &[f32],
        (name, method): (&str, Method),
    ) -> Result<ClosedForm> {
        let started = Instant::now();
        let parts = &self.collected.boundary;
        let write = |part: &Part, event: usize, out: &mut Vec<f32>| {
            self.write(sites, part, event, out);
        };
        let mut train = fit::table(&write, &parts.train);
        let width = train.len() / parts.train.events.len().max(1);
        let mut scaler = Scaler::measure(&train, width);
        if !normalisation.z_score {
            scaler.leave(0..self.residuals(sites));
        }
        scaler.apply(&mut train);
        let gram = Gram::new(&train, width, &parts.train.targets(1), self.setup.themes)?;
        let matrix = |part: &Part| {
            let mut values = fit::table(&write, part);
            scaler.apply(&mut values);
            Matrix::new(values, width)
        };
        let (validation, test) = (matrix(&parts.validation)?, matrix(&parts.test)?);
        let found = closed_form::fit(method, &gram, (&validation, &parts.validation.targets(1)))?;
        let seconds = started.elapsed().as_secs_f64();
        let (validation, test) = (found.forecasts(&validation)?, found.forecasts(&test)?);
        let mut fitted = Fitted { validation, test, ..Fitted::default() };
        // At the prompt's end apart, as those by gradients.
        fitted.temper(parts, (self.setup.themes, 1));
        let (validation_nats, _) = scored(&fitted.validation, &parts.validation, self.setup.themes);
        let (nats, top1) = scored(&fitted.test, &parts.test, self.setup.themes);
        Ok(ClosedForm {
            method: name.to_owned(),
            strength: Some(found.strength),
            validation_nll_nats: validation_nats,
            test_nll_nats: nats,
            test_top1: top1,
            minus_gradients: self.apart(&parts.test, &fitted.test, by_gradients),
            seconds,
        })
    }
}

/// Mean loss and top-1 of finished forecasts one segment ahead.
fn scored(forecasts: &[f32], part: &Part, themes: usize) -> (f64, f64) {
    let logits: Vec<f32> = forecasts.iter().map(|p| p.max(1e-12).ln()).collect();
    closed_form::score(&logits, &part.targets(1), (themes, 1.0))
}

#[cfg(test)]
mod tests {
    use crate::{
        label,
        synthetic::{self, ByWord, SMALL},
    };

    #[test]
    fn the_site_that_knows_is_found_and_closed_forms_come_near() {
        let dir = tempfile::tempdir().unwrap();
        synthetic::write(dir.path(), &SMALL);
        label::run(dir.path(), &ByWord, &|_| {}).unwrap();
        let report = super::run(dir.path(), &|_| {}).unwrap();
        assert_eq!(report.tried.len(), 2 * 4 + 1);
        let chosen = report.chosen.as_ref().unwrap();
        assert!(chosen.sites.contains(&"final".to_owned()), "{chosen:?}");
        let blind = report.tried.iter().find(|one| one.sites == ["layer.2.in"]).unwrap();
        let apart = blind.minus_chosen.unwrap();
        assert!(apart.nll_interval.unwrap().low > 0.0, "{apart:?}");
        let gap = blind.validation_nll_nats - chosen.validation_nll_nats;
        assert!((apart.nll_nats - gap).abs() < 1e-6, "{apart:?} {gap}");
        assert!(blind.validation_nll_nats > chosen.validation_nll_nats + 0.3, "{blind:?}");
        assert!(report.test_top1 > 0.7, "{report:?}");
        let [bfgs, lda, ridge] = &report.closed_form[..] else { panic!("{report:?}") };
        for one in [lda, ridge] {
            assert!(one.test_nll_nats < bfgs.test_nll_nats + 0.3, "{one:?} {bfgs:?}");
            let apart = one.minus_gradients.unwrap().nll_nats;
            assert!((apart - (one.test_nll_nats - bfgs.test_nll_nats)).abs() < 1e-6, "{one:?}");
        }
        assert!(report.to_markdown().contains("shrinkage LDA"));
        assert!(report.to_svg().starts_with("<figure>"));
    }
}
