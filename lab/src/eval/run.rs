//! The steps of an evaluation, in order.

use super::{
    BOTH, EvalConfig, OURS,
    collected::{self, Collected, Reading},
    curves, doubt,
    embeddings::Embeddings,
    events::{BySplit, Event, Part, Place, Story, WITHIN},
    fit::{Fitted, Setup},
    held_out, joint,
    judge::Judge,
    metrics::Case,
    models::{Model, Sees, Workshop},
    more_reports::{CurveReport, HeldOutReport, OtherJointReport, OtherReport, ResampleReport},
    notes, ood,
    others::{self, Moments, Replayed},
    own::{self, Forecasts, Ours, Own, Served},
    reader::{Reader, ReaderReport},
    report::{EvalReport, HorizonReport, PlaceReport},
    resampled::Resampled,
    served_chains, themes, watched,
};
use crate::{
    LabError, Result,
    counted::Counted,
    dataset::CollectionInfo,
    embed::Embed,
    label::Labels,
    replay::{self, Chain},
};
use std::{collections::HashMap, path::Path};
use themecast_forecast::bundle::Bundle;

/// What every step needs.
struct Inputs<'a> {
    dir: &'a Path,
    config: &'a EvalConfig,
    bundle: Bundle,
    embedder: Option<&'a dyn Embed>,
    labels: Labels,
    chains: HashMap<String, Chain>,
    /// Other ways on, where some were sampled.
    ways: Option<Resampled>,
    /// What a reader said, where that is asked for.
    reader: Option<Reader>,
    horizons: usize,
    progress: &'a dyn Fn(&str),
}

/// As [`super::run`].
pub(super) fn run(
    dir: &Path,
    config: &EvalConfig,
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<EvalReport> {
    let bundle = own::load(&config.bundle)?;
    let info = CollectionInfo::load(dir)?;
    let fit = bundle.fits(&info.model).map_err(|error| LabError::Forecast(error.to_string()))?;
    let labels = Labels::load(dir)?;
    own::check_themes(&bundle, &labels)?;
    // Whatever may be refused is read before hours of fitting, not after.
    for path in &config.other_bundles {
        own::check(path, (&info, &labels), embedder.is_some())?;
    }
    let ways = Resampled::read(dir, &labels)?;
    let reader = config.answers.as_ref().map(|path| Reader::read(path, &labels)).transpose()?;
    let chains = replay::chains(&labels)?;
    let horizons = config.horizons.clamp(1, bundle.card.horizons);
    let inputs =
        Inputs { dir, config, bundle, embedder, labels, chains, ways, reader, horizons, progress };
    progress("reading the collection");
    let sites = collected::sites(&inputs.bundle, &info);
    let hidden = info.model.hidden_size;
    let layer_norm = inputs.bundle.card.layer_norm;
    let reading = Reading { sites: &sites, hidden, layer_norm, within: true };
    let collected = Collected::read(dir, &inputs.labels, &inputs.chains, reading, progress)?;
    progress("replaying the bundle");
    let texts = replay::texts_for(&inputs.bundle, dir, embedder, progress)?;
    let ours = Ours::new(&inputs.bundle, texts.as_ref(), horizons);
    let own = ours.replay(dir, &inputs.chains, progress)?;
    let embeddings = match embedder.filter(|_| config.fitted) {
        Some(embedder) => Some(Embeddings::of_collected(&collected, dir, embedder, progress)?),
        None => None,
    };
    let mut report = inputs.judge(&collected, &own, embeddings.as_ref())?;
    report.model_name = info.model_name;
    let mut warnings = fit.warnings;
    if !config.fitted {
        warnings.push(
            "Only baselines that are counted: those that are fitted were left out.".to_owned(),
        );
    } else if embeddings.is_none() {
        warnings.push("No sentence embedder was given: that baseline is missing.".to_owned());
    }
    report.notes = notes::of(&inputs.bundle, warnings);
    Ok(report)
}

impl Inputs<'_> {
    fn judge(
        &self,
        collected: &Collected,
        own: &Own,
        embeddings: Option<&Embeddings>,
    ) -> Result<EvalReport> {
        let (config, themes) = (self.config, self.labels.themes.len());
        let stories = &collected.stories;
        let parts = &collected.boundary;
        let draws = (config.resamples, config.seed);
        let judge = Judge::new(&parts.test.events, stories, themes, draws);
        let sites = &self.bundle.card.sites;
        let workshop =
            Workshop::new(collected, embeddings, (themes, self.horizons), (sites, config));
        let steps = config.steps;
        let setup = Setup { themes, aheads: (1..=self.horizons).collect(), steps };
        let mut models = vec![self.ours(&own.boundary, &setup.aheads)];
        models.extend(workshop.at_boundaries(&setup, self.progress)?);
        let mut horizons = self.compared(&judge, (&models, parts), &setup.aheads, false);
        let inner = Setup { aheads: (0..=self.horizons).collect(), ..setup.clone() };
        let mut within = vec![self.ours(&own.within, &inner.aheads)];
        within.extend(workshop.within(&models, &inner, self.progress)?);
        horizons.extend(self.compared(&judge, (&within, &collected.within), &inner.aheads, true));
        let nearest = self.nearest(&judge, &models, parts);
        let confusion = themes::confusion(&nearest, themes);
        (self.progress)("scoring what is left");
        let moments = Moments { judge: &judge, collected, reader: self.reader.as_ref() };
        let (others, other_joint) = self.others(own, moments, (&workshop.counted, draws))?;
        Ok(EvalReport {
            collection: self.dir.display().to_string(),
            bundle: config.bundle.display().to_string(),
            model_name: String::new(),
            labels: self.labels.card.method.clone(),
            themes,
            test_documents: parts.test.events.iter().filter(|event| event.segment < 0).count(),
            resamples: config.resamples,
            seed: config.seed,
            now: self.now(&judge, own, &parts.test),
            mid: self.everywhere(&judge, own, collected),
            joint: joint::reports(&own.joint, (stories, &workshop.counted), draws),
            served_chains: served_chains::reports(&own.served_chains, stories, draws),
            watched: watched::reports(&own.watched, stories, draws),
            doubt: doubt::reports(&own.doubt, draws),
            resampled: self.resampled((&parts.test.events, stories), (&models, &horizons), draws),
            reader: self.reader(
                (&judge, &workshop, &setup),
                (&models, parts),
                (&within, &collected.within),
            )?,
            held_out: self.held_out((collected, &models, &within), &horizons, own, (&judge, draws)),
            per_theme: themes::table(&nearest, &self.labels.themes, &confusion),
            confusion,
            curves: self.curves(&workshop, &judge, &setup)?,
            others,
            other_joint,
            horizons,
            notes: Vec::new(),
        })
    }

    /// Learning curves, unless none or no fits are wanted.
    fn curves(
        &self,
        workshop: &Workshop<'_>,
        judge: &Judge<'_>,
        setup: &Setup,
    ) -> Result<Vec<CurveReport>> {
        match self.config.curve_draws {
            draws if draws == 0 || !self.config.fitted => Ok(Vec::new()),
            draws => curves::curves(workshop, judge, setup, draws, self.progress),
        }
    }

    /// Groups that nothing was trained on, where there are any.
    fn held_out(
        &self,
        (collected, models, within): (&Collected, &[Model], &[Model]),
        horizons: &[HorizonReport],
        own: &Own,
        (judge, draws): (&Judge<'_>, (usize, u64)),
    ) -> Option<HeldOutReport> {
        let events = &collected.boundary.held_out.events;
        let events = Some(events).filter(|events| !events.is_empty())?;
        (self.progress)("recognising held-out groups");
        let strangers = Judge::new(events, &collected.stories, self.labels.themes.len(), draws);
        let groups = held_out::groups(collected, (models, within), horizons, (judge, &strangers));
        let trust = self.bundle.trust.as_ref();
        let recognisers = ood::recognisers(collected, trust, &own.distances, draws, self.progress);
        Some(HeldOutReport { groups, recognisers })
    }

    /// The bundle's forecasts as those of a model.
    fn ours(&self, own: &BySplit<Forecasts>, aheads: &[usize]) -> Model {
        let of = |forecasts: &Forecasts, ahead: usize| {
            forecasts.by_offset.get(ahead).cloned().unwrap_or_default()
        };
        let at = |&ahead: &usize| Fitted {
            validation: of(&own.validation, ahead),
            test: of(&own.test, ahead),
            held_out: of(&own.held_out, ahead),
            ..Fitted::default()
        };
        let by_ahead = aheads.iter().map(at).collect();
        let served = Some(Served::of(&self.bundle));
        Model { name: OURS.to_owned(), sees: Sees::Ours, by_ahead, served }
    }

    fn compared(
        &self,
        judge: &Judge<'_>,
        (models, parts): (&[Model], &BySplit<Part>),
        aheads: &[usize],
        within: bool,
    ) -> Vec<HorizonReport> {
        let places: Vec<Place> = match within {
            true => WITHIN.map(Place::Within).into(),
            false => vec![Place::PromptEnd, Place::Boundary],
        };
        let at = |&place: &Place| {
            let numbered = aheads.iter().copied().enumerate();
            numbered.filter_map(move |at| judge.compare(place, at, models, parts))
        };
        places.iter().flat_map(at).collect()
    }

    /// Our cases one segment ahead at boundaries.
    fn nearest<'m>(
        &self,
        judge: &Judge<'_>,
        models: &'m [Model],
        parts: &BySplit<Part>,
    ) -> Vec<Case<'m>> {
        let ours = models.first().and_then(|model| model.by_ahead.first());
        let forecasts = ours.map_or(&[][..], |fitted| &fitted.test);
        let here = |event: &Event| event.place == Place::Boundary;
        judge.cases(&parts.test.events, forecasts, 1, here)
    }

    fn resampled(
        &self,
        of: (&[Event], &[Story]),
        (models, horizons): (&[Model], &[HorizonReport]),
        draws: (usize, u64),
    ) -> Vec<ResampleReport> {
        let Some(ways) = &self.ways else { return Vec::new() };
        (self.progress)("scoring other ways on");
        let nearest = horizons.iter().find(|one| one.place == Place::Boundary.name());
        let text = nearest.map_or("", |one| one.best_text.as_str());
        let named = |model: &&Model| [OURS, "Markov 2", text, BOTH].contains(&&*model.name);
        let models: Vec<&Model> = models.iter().filter(named).collect();
        let shares: Vec<f32> = self.labels.themes.iter().map(|theme| theme.share).collect();
        ways.reports(of, (&models, self.horizons), &shares, draws)
    }

    /// Coming segments at the prompt's end and at boundaries, also by what learnt from the reader
    /// itself; the one being written within it.
    fn reader(
        &self,
        (judge, workshop, setup): (&Judge<'_>, &Workshop<'_>, &Setup),
        (models, parts): (&[Model], &BySplit<Part>),
        (within, inner): (&[Model], &BySplit<Part>),
    ) -> Result<Vec<ReaderReport>> {
        let Some(reader) = &self.reader else { return Ok(Vec::new()) };
        (self.progress)("scoring against the reader");
        let stories = &workshop.collected.stories;
        let targets = |&ahead: &usize| reader.targets(&parts.train, stories, ahead);
        let targets: Vec<_> = setup.aheads.iter().map(targets).collect();
        let learnt = match self.config.fitted {
            true => workshop.learnt_from_reader(models, &targets, setup)?,
            false => Vec::new(),
        };
        let of = (judge, &stories[..]);
        let coming = [models, &learnt].into_iter().flat_map(|models| {
            let at =
                |(place, ahead)| reader.reports(of, place, (ahead - 1, ahead), (models, parts));
            let places = [Place::PromptEnd, Place::Boundary].into_iter();
            let all = places.flat_map(|place| (1..=self.horizons).map(move |ahead| (place, ahead)));
            all.flat_map(at).collect::<Vec<_>>()
        });
        let written = WITHIN
            .into_iter()
            .flat_map(|tokens| reader.reports(of, Place::Within(tokens), (0, 0), (within, inner)));
        Ok(coming.chain(written).collect())
    }

    fn now(&self, judge: &Judge<'_>, own: &Own, test: &Part) -> Option<PlaceReport> {
        let forecasts = own.boundary.test.by_offset.first()?;
        judge.alone(0, &judge.cases(&test.events, forecasts, 0, |_| true), None)
    }

    fn everywhere(&self, judge: &Judge<'_>, own: &Own, collected: &Collected) -> Vec<PlaceReport> {
        let stories: HashMap<&str, usize> = collected
            .stories
            .iter()
            .enumerate()
            .map(|(number, story)| (story.id.as_str(), number))
            .collect();
        let event = |(id, segment): &(String, i32)| {
            Some(Event {
                story: *stories.get(id.as_str())?,
                place: Place::Within(0),
                segment: *segment,
                partial: String::new(),
                position: [0.0; 4],
                chain: self.chains.get(id)?.clone(),
            })
        };
        let events: Vec<Event> = own.everywhere.moments.iter().filter_map(event).collect();
        let served = Served::of(&self.bundle);
        let forecasts = own.everywhere.forecasts.by_offset.iter().enumerate();
        forecasts
            .filter_map(|(offset, forecasts)| {
                let (_, least) = served.at(Place::Within(0), offset);
                judge.alone(offset, &judge.cases(&events, forecasts, offset, |_| true), least)
            })
            .collect()
    }

    /// The bundle's own figures, then those of other bundles; of those that tell how themes follow
    /// each other whole chains too.
    fn others(
        &self,
        own: &Own,
        on: Moments<'_>,
        (counted, draws): (&Counted, (usize, u64)),
    ) -> Result<(Vec<OtherReport>, Vec<OtherJointReport>)> {
        if self.config.other_bundles.is_empty() {
            return Ok(Default::default());
        }
        let (path, horizons) = (&*self.config.bundle, self.horizons);
        let first = Replayed { path, own, served: Served::of(&self.bundle), horizons };
        let (mut all, mut chains) = (others::reports(&first, None, on), Vec::new());
        for path in &self.config.other_bundles {
            (self.progress)(&format!("replaying {}", path.display()));
            let bundle = own::load(path)?;
            let horizons = self.horizons.min(bundle.card.horizons);
            let texts = replay::texts_for(&bundle, self.dir, self.embedder, self.progress)?;
            let other = Ours::new(&bundle, texts.as_ref(), horizons).marginals_alone();
            let other = &other.replay(self.dir, &self.chains, self.progress)?;
            let one = Replayed { path, own: other, served: Served::of(&bundle), horizons };
            all.extend(others::reports(&one, Some(own), on));
            if bundle.chain.is_some() || bundle.link.is_some() {
                let report = |joint| OtherJointReport { bundle: path.display().to_string(), joint };
                let of = (&on.collected.stories[..], counted);
                chains.extend(joint::reports(&other.joint, of, draws).into_iter().map(report));
            }
        }
        Ok((all, chains))
    }
}
