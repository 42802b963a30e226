//! Fits one softmax regression per number of segments ahead on any columns.
//!
//! Penalty, temperature and the weight of a block of columns are chosen on the validation split,
//! exactly as for the bundle's own heads; the test split is only forecast.

use super::events::{BySplit, Event, Part, Place};
use crate::{
    Result,
    train::{
        head::{self, Head, Sample},
        logistic::Matrix,
        scaler::Scaler,
        settle::temperature,
    },
};
use rayon::prelude::*;
use std::ops::Range;
use themecast_forecast::linear::{softmax, temper};

/// Writes the columns of one event of a part.
pub(crate) type Write<'a> = dyn Fn(&Part, usize, &mut Vec<f32>) + 'a;

/// The columns of a model.
pub(crate) struct Design<'a> {
    /// What writes them.
    pub(crate) write: &'a Write<'a>,
    /// Columns that are not z-scored.
    pub(crate) raw: Vec<Range<usize>>,
    /// Columns that are multiplied by each of `scales`; the best one on the validation split is
    /// taken, head by head.
    pub(crate) weighed: Range<usize>,
    /// The weights that are tried.
    pub(crate) scales: &'a [f32],
}

impl<'a> Design<'a> {
    /// Columns that all weigh the same and are z-scored, but for `raw`.
    pub(crate) fn plain(write: &'a Write<'a>, raw: Option<Range<usize>>) -> Self {
        Self { write, raw: raw.into_iter().collect(), weighed: 0..0, scales: &[1.0] }
    }
}

/// What every fit of an evaluation shares.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// How many classes.
    pub(crate) themes: usize,
    /// The numbers of segments ahead.
    pub(crate) aheads: Vec<usize>,
    /// The most optimiser steps per fit.
    pub(crate) steps: u64,
}

impl Setup {
    /// The same with one more segment ahead: what is `n` ahead within a segment was `n + 1` ahead at
    /// the boundary before.
    pub(crate) fn one_further(&self) -> Self {
        let next = self.aheads.last().map(|last| last + 1);
        let aheads = self.aheads.iter().copied().chain(next).collect();
        Self { aheads, ..self.clone() }
    }
}

/// One fitted model's forecasts at one number of segments ahead, *shape* `[events, themes]` each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fitted {
    /// Of the validation split.
    pub(crate) validation: Vec<f32>,
    /// Of the test split.
    pub(crate) test: Vec<f32>,
    /// Of the held-out groups.
    pub(crate) held_out: Vec<f32>,
    /// What the logits were divided by.
    pub(crate) temperature: Temperature,
    /// Mean loss on the validation split.
    pub(crate) nats: f32,
}

/// What logits were divided by: at the prompt's end apart, as bundles have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Temperature {
    prompt_end: f32,
    elsewhere: f32,
}

impl Temperature {
    /// One for all places.
    pub(crate) fn everywhere(by: f32) -> Self {
        Self { prompt_end: by, elsewhere: by }
    }

    /// That of `place`.
    pub(crate) fn at(self, place: Place) -> f32 {
        if place == Place::PromptEnd { self.prompt_end } else { self.elsewhere }
    }
}

impl Default for Temperature {
    fn default() -> Self {
        Self::everywhere(1.0)
    }
}

/// Fits `design` on the training events whose class at each horizon `targets` tells, and
/// forecasts every event of the other splits.
///
/// # Errors
/// [`crate::LabError::Fit`].
pub(crate) fn fit(
    design: &Design<'_>,
    parts: &BySplit<Part>,
    targets: &[Vec<Option<u32>>],
    setup: &Setup,
) -> Result<Vec<Fitted>> {
    let mut best: Vec<Option<Fitted>> = vec![None; setup.aheads.len()];
    for &scale in design.scales {
        let matrices = Matrices::new(design, parts, scale)?;
        let one = |place: usize| matrices.fit(parts, setup, (setup.aheads[place], &targets[place]));
        let found: Vec<_> =
            (0..setup.aheads.len()).into_par_iter().map(one).collect::<Result<_>>()?;
        for (best, found) in best.iter_mut().zip(found) {
            if best.as_ref().is_none_or(|best| found.nats < best.nats) {
                *best = Some(found);
            }
        }
    }
    Ok(best.into_iter().map(Option::unwrap_or_default).collect())
}

/// The classes of the training events at each horizon.
pub(crate) fn targets(parts: &BySplit<Part>, setup: &Setup) -> Vec<Vec<Option<u32>>> {
    setup.aheads.iter().map(|&ahead| parts.train.targets(ahead)).collect()
}

/// The columns of every event of `part`, row-major.
pub(crate) fn table(write: &Write<'_>, part: &Part) -> Vec<f32> {
    let mut values = Vec::new();
    for event in 0..part.events.len() {
        write(part, event, &mut values);
    }
    values
}

struct Matrices {
    train: Matrix,
    validation: Matrix,
    test: Matrix,
    held_out: Matrix,
}

impl Matrices {
    fn new(design: &Design<'_>, parts: &BySplit<Part>, scale: f32) -> Result<Self> {
        let write = |part: &Part| table(design.write, part);
        let train = write(&parts.train);
        let width = train.len() / parts.train.events.len().max(1);
        let mut scaler = Scaler::measure(&train, width);
        design.raw.iter().for_each(|columns| scaler.leave(columns.clone()));
        scaler.weigh(design.weighed.clone(), scale);
        let matrix = |mut values: Vec<f32>| {
            scaler.apply(&mut values);
            Matrix::new(values, width)
        };
        Ok(Self {
            train: matrix(train)?,
            validation: matrix(write(&parts.validation))?,
            test: matrix(write(&parts.test))?,
            held_out: matrix(write(&parts.held_out))?,
        })
    }

    fn fit(
        &self,
        parts: &BySplit<Part>,
        setup: &Setup,
        (ahead, targets): (usize, &[Option<u32>]),
    ) -> Result<Fitted> {
        let validation_targets = parts.validation.targets(ahead);
        let on = Sample { rows: &self.train, targets };
        let by = Sample { rows: &self.validation, targets: &validation_targets };
        let head = head::fit(on, by, setup.themes, &[], setup.steps)?;
        let mut fitted = Fitted {
            validation: forecasts(&self.validation, &head)?,
            test: forecasts(&self.test, &head)?,
            held_out: forecasts(&self.held_out, &head)?,
            temperature: Temperature::everywhere(head.temperature),
            nats: head.validation_nats,
        };
        fitted.temper(parts, (setup.themes, ahead));
        Ok(fitted)
    }
}

impl Fitted {
    /// Gives each place a temperature of its own, found on the validation split, as a bundle's
    /// places have theirs.
    pub(crate) fn temper(&mut self, parts: &BySplit<Part>, (themes, ahead): (usize, usize)) {
        let of = |at_prompt: bool, validation: &[f32]| {
            let all = parts.validation.events.iter().zip(validation.chunks_exact(themes));
            let here = all.filter(|(event, _)| (event.place == Place::PromptEnd) == at_prompt);
            let cases = here.filter_map(|(event, p)| Some((p, event.came(ahead)?)));
            temperature(&cases.collect::<Vec<_>>())
        };
        let found = Temperature {
            prompt_end: of(true, &self.validation),
            elsewhere: of(false, &self.validation),
        };
        let apply = |events: &[Event], forecasts: &mut [f32]| {
            let each = events.iter().zip(forecasts.chunks_exact_mut(themes));
            each.for_each(|(event, p)| temper(p, found.at(event.place)));
        };
        apply(&parts.validation.events, &mut self.validation);
        apply(&parts.test.events, &mut self.test);
        apply(&parts.held_out.events, &mut self.held_out);
        self.temperature.prompt_end *= found.prompt_end;
        self.temperature.elsewhere *= found.elsewhere;
    }
}

fn forecasts(rows: &Matrix, head: &Head) -> Result<Vec<f32>> {
    let mut forecasts = rows.logits(&head.weights)?;
    for forecast in forecasts.chunks_exact_mut(head.weights.classes) {
        forecast.iter_mut().for_each(|logit| *logit /= head.temperature);
        softmax(forecast);
    }
    Ok(forecasts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::events::{Event, Place};

    fn part(chains: std::ops::Range<u32>) -> Part {
        let event = |number: u32| Event {
            story: number as usize,
            place: Place::Boundary,
            segment: 0,
            partial: String::new(),
            position: [0.0; 4],
            chain: [0, number % 3].into(),
        };
        Part { events: chains.map(event).collect(), rows: Vec::new() }
    }

    #[test]
    fn columns_that_tell_the_class_are_learnt_and_every_split_is_forecast() {
        let parts = BySplit {
            train: part(0..60),
            validation: part(60..80),
            test: part(80..91),
            held_out: part(0..0),
        };
        let write = |part: &Part, event: usize, out: &mut Vec<f32>| {
            let next = part.events[event].chain[1];
            out.extend((0..3).map(|class| f32::from(u8::from(class == next))));
            out.push(1e3);
        };
        let setup = Setup { themes: 3, aheads: vec![1], steps: 100 };
        let design = Design { weighed: 3..4, scales: &[0.0], ..Design::plain(&write, Some(3..4)) };
        let fitted = fit(&design, &parts, &targets(&parts, &setup), &setup).unwrap();
        assert_eq!((fitted[0].test.len(), fitted[0].held_out.len()), (33, 0));
        let right = |(event, p): (&Event, &[f32])| p[event.chain[1] as usize] > 0.9;
        let mut told = parts.test.events.iter().zip(fitted[0].test.chunks_exact(3));
        assert!(told.all(right) && fitted[0].nats < 0.05, "{:?}", fitted[0]);
    }
}
