//! What is compared a few tokens into segments.
//!
//! Within a segment a model has two things to say: what the text or the residuals so far tell it, and
//! what it said at the boundary before. The better of both, averaged in log space and served with a
//! temperature as ours is, is compared.

use super::{
    events::{BySplit, Event, Part},
    fit::{Fitted, Setup, Temperature},
    models::{BOTH, Model, TRUE_THEMES, Workshop},
};
use crate::{Result, train::settle::temperature};
use std::collections::HashMap;
use themecast_forecast::linear::{softmax, temper};

/// How much the forecast from what was read so far counts beside the one at the boundary before.
const WEIGHTS: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

impl Workshop<'_> {
    /// Models a few tokens into segments; those that read the text are of the family that validates
    /// better at boundaries.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    pub(super) fn within(
        &self,
        at_boundaries: &[Model],
        setup: &Setup,
        progress: &dyn Fn(&str),
    ) -> Result<Vec<Model>> {
        let parts = &self.collected.within;
        let mut models = self.counted_within(setup);
        if !self.config.fitted {
            return Ok(models);
        }
        let better = self.better_text(at_boundaries);
        progress("fitting the text baseline within segments");
        let text = self.text_model(&better, parts, setup)?;
        let mut averaged = self.averaged(&text, at_boundaries, setup);
        averaged.name = format!("{}, averaged with its last boundary's", text.name);
        models.extend([text, averaged]);
        progress(&format!("fitting {BOTH} within segments"));
        let both = self.both(&better, parts, setup)?;
        models.push(self.averaged(&both, at_boundaries, setup));
        progress(&format!("fitting {TRUE_THEMES} within segments"));
        let told = self.told(parts, setup)?;
        models.push(self.averaged(&told, at_boundaries, setup));
        Ok(models)
    }

    fn counted_within(&self, setup: &Setup) -> Vec<Model> {
        let (parts, counted) = (&self.collected.within, &self.counted);
        vec![
            self.each("marginal", parts, setup, |_, _| counted.marginal()),
            self.each("marginal at the position", parts, setup, |event, ahead| {
                counted.position(event.ended() + ahead)
            }),
            self.each("persistence", parts, setup, |event, ahead| match event.present() {
                Some(_) => counted.persistence(event.present(), ahead + 1),
                None => counted.position(ahead),
            }),
            self.each("Markov 1", parts, setup, |event, ahead| {
                counted.markov(event.present(), ahead + 1)
            }),
            self.each("Markov 2", parts, setup, |event, ahead| {
                counted.markov2(&event.chain[..event.ended()], ahead + 1)
            }),
        ]
    }

    /// `now` averaged with what the model of the same name forecasts at the boundary before.
    fn averaged(&self, now: &Model, at_boundaries: &[Model], setup: &Setup) -> Model {
        let (boundary, within) = (&self.collected.boundary, &self.collected.within);
        let before = at_boundaries.iter().find(|before| before.name == now.name);
        let before = before.map_or(&[][..], |before| &before.by_ahead);
        let places = BySplit {
            train: Vec::new(),
            validation: places(&boundary.validation, &within.validation),
            test: places(&boundary.test, &within.test),
            held_out: places(&boundary.held_out, &within.held_out),
        };
        let each = now.by_ahead.iter().zip(before).zip(&setup.aheads);
        let by_ahead = each.map(|((now, before), &ahead)| {
            self.best_mix((now, before), &places, (&within.validation, ahead))
        });
        Model::new(&*now.name, now.sees, by_ahead.collect())
    }

    /// `now` and `before`, weighed and tempered as loses the least on the `validation` events.
    fn best_mix(
        &self,
        (now, before): (&Fitted, &Fitted),
        places: &BySplit<Vec<usize>>,
        (validation, ahead): (&Part, usize),
    ) -> Fitted {
        let themes = self.themes;
        let at = |weight: f32| {
            let both = (&*now.validation, &*before.validation);
            mixed(both, &places.validation, (themes, weight))
        };
        let tried = WEIGHTS.map(|weight| (nats(validation, &at(weight), (themes, ahead)), weight));
        let best = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let weight = best.map_or(1.0, |best| best.1);
        let by = temperature(&cases(validation, &at(weight), themes, ahead));
        let mix = |both: (&[f32], &[f32]), places: &[usize]| {
            let mut all = mixed(both, places, (themes, weight));
            all.chunks_exact_mut(themes).for_each(|forecast| temper(forecast, by));
            all
        };
        Fitted {
            temperature: Temperature::everywhere(by),
            validation: mix((&now.validation, &before.validation), &places.validation),
            test: mix((&now.test, &before.test), &places.test),
            held_out: mix((&now.held_out, &before.held_out), &places.held_out),
            ..Fitted::default()
        }
    }
}

/// For each event of `within` the place of the boundary (or the prompt's end) before it.
fn places(boundary: &Part, within: &Part) -> Vec<usize> {
    let key = |event: &Event, segment: i32| (event.story, segment);
    let known: HashMap<(usize, i32), usize> = boundary
        .events
        .iter()
        .enumerate()
        .map(|(place, event)| (key(event, event.segment), place))
        .collect();
    let before = |event: &Event| known.get(&key(event, event.segment - 1)).copied();
    within.events.iter().map(|event| before(event).unwrap_or(usize::MAX)).collect()
}

/// `weight` of what is said now with the rest of what was said before, in log space.
fn mixed(
    (now, before): (&[f32], &[f32]),
    places: &[usize],
    (themes, weight): (usize, f32),
) -> Vec<f32> {
    let mut all = Vec::with_capacity(now.len());
    for (now, &place) in now.chunks_exact(themes).zip(places) {
        let before = place.checked_mul(themes).and_then(|from| before.get(from..from + themes));
        let before = before.unwrap_or(now);
        let log = |p: f32| p.max(1e-9).ln();
        let start = all.len();
        all.extend(
            now.iter().zip(before).map(|(a, b)| weight * log(*a) + (1.0 - weight) * log(*b)),
        );
        softmax(&mut all[start..]);
    }
    all
}

/// The forecasts of the events that have something to come `ahead`, with what came.
fn cases<'f>(
    part: &Part,
    forecasts: &'f [f32],
    themes: usize,
    ahead: usize,
) -> Vec<(&'f [f32], u32)> {
    let each = part.events.iter().zip(forecasts.chunks_exact(themes));
    each.filter_map(|(event, forecast)| Some((forecast, event.came(ahead)?))).collect()
}

/// The mean loss of what came `ahead`, over the events that have it.
fn nats(part: &Part, forecasts: &[f32], (themes, ahead): (usize, usize)) -> f32 {
    let cases = cases(part, forecasts, themes, ahead);
    let losses = cases.iter().map(|(p, came)| -p[*came as usize].max(1e-9).ln());
    losses.sum::<f32>() / cases.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::events::Place;

    #[test]
    fn each_moment_finds_the_boundary_before_it() {
        let event = |story, place, segment| Event {
            story,
            place,
            segment,
            partial: String::new(),
            position: [0.0; 4],
            chain: [0, 1].into(),
        };
        let part = |events| Part { events, rows: Vec::new() };
        let boundary = part(vec![
            event(0, Place::PromptEnd, -1),
            event(0, Place::Boundary, 0),
            event(1, Place::PromptEnd, -1),
        ]);
        let within = part(vec![event(1, Place::Within(4), 0), event(0, Place::Within(4), 1)]);
        assert_eq!(places(&boundary, &within), [2, 1]);
        let all = mixed((&[0.5, 0.5], &[0.9, 0.1, 0.2, 0.8]), &[1], (2, 0.5));
        assert!((all[1] / all[0] - 2.0).abs() < 1e-5, "the root of 4: {all:?}");
        assert_eq!(mixed((&[0.3, 0.7], &[]), &[usize::MAX], (2, 0.0)).len(), 2);
    }
}
