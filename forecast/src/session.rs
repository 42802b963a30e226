//! One answer's forecast: segments, features, heads and divergence, one token at a time.

use crate::{
    annotation::{Divergence, Forecast},
    bundle::Bundle,
    divergence::{Monitor, Pending, Segment, jensen_shannon},
    events::{ForecastMade, Observer, SegmentEnded},
    features::FeatureState,
    linear::RowKind,
    open::{OpenHead, Watch},
    options::Options,
    predict::{Forecaster, Foresight},
    segment::Segmenter,
    summary::{Ended, Summary},
    trust,
};
use std::sync::Arc;
use themecast_plugin_api::{Annotation, End, PluginError, Session, Site, Step, Value};

/// The session of one answer.
pub(crate) struct ForecastSession {
    bundle: Arc<Bundle>,
    observer: Arc<dyn Observer>,
    options: Options,
    segmenter: Segmenter,
    features: FeatureState,
    forecaster: Forecaster,
    pending: Pending,
    monitor: Monitor,
    divergence: Divergence,
    summary: Summary,
    /// Where residuals are read, in the order in which they come.
    sites: Vec<Site>,
    in_distribution: f32,
    /// The answer, or its present residual, is beyond what the bundle knows.
    out: bool,
    /// The step that is expected next.
    next: usize,
    /// Reused from step to step: the row of features, the residuals of all sites.
    row: Vec<f32>,
    residuals: Vec<f32>,
    last: Option<Forecast>,
    watch: Watch,
}

impl ForecastSession {
    pub(crate) fn new(bundle: Arc<Bundle>, observer: Arc<dyn Observer>, options: Options) -> Self {
        Self {
            segmenter: Segmenter::new(&bundle.card.segmenter),
            features: FeatureState::new(bundle.layout()),
            forecaster: Forecaster::new(&bundle),
            monitor: Monitor::new(&bundle),
            pending: Pending::default(),
            divergence: Divergence::default(),
            summary: Summary::default(),
            sites: bundle.sites(),
            in_distribution: 1.0,
            out: false,
            next: 0,
            row: Vec::new(),
            residuals: Vec::new(),
            last: None,
            watch: Watch::default(),
            bundle,
            observer,
            options,
        }
    }

    /// The same, with phrases to score at every step.
    pub(crate) fn watching(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// How likely the phrases are to come, by the row that was written last.
    fn watched(&mut self, ended: bool) -> Vec<f32> {
        let kind = if ended { RowKind::Boundary } else { RowKind::Mid };
        let layout = self.bundle.layout();
        let score = |head: &OpenHead| self.watch.probabilities(head, kind, &self.row, &layout);
        self.bundle.open.as_ref().map(score).unwrap_or_default()
    }

    /// The distribution that the head for `offset` gives in the present row.
    fn head(&self, kind: RowKind, offset: usize) -> Vec<f32> {
        let mut p = Vec::new();
        self.bundle.predictor.heads(kind)[offset].probabilities(&self.row, &mut p);
        p
    }

    /// The segment of the last token has ended before answer token `end`; its theme is decided by
    /// the head `kind` has for the segment being read.
    fn end_segment(&mut self, end: usize, kind: RowKind) {
        self.features.write(&mut self.row);
        let now = self.head(kind, 0);
        let theme = most_likely(&now);
        let shift = self.pending.first().map_or(0.0, |first| jensen_shannon(first, &now));
        let forecast = self.pending.first().map(<[f32]>::to_vec);
        let surprises = self.pending.end(theme);
        if let Some((forecast, first)) = forecast.zip(surprises.first()) {
            self.divergence.surprise_nats = first.surprise_nats;
            self.divergence.excess_nats = first.excess_nats;
            let mean = self.bundle.layout().last_segment_mean();
            let segment = Segment { forecast: &forecast, theme, residual_mean: &self.row[mean] };
            for detector in self.monitor.end(&self.bundle, segment) {
                match self.out {
                    false => self.observer.alarm(detector),
                    true => self.observer.held_back(detector),
                }
            }
        }
        self.divergence.score = self.monitor.score();
        self.divergence.alarm = self.monitor.alarm() && !self.out;
        let score = self.divergence.score;
        self.observer.segment_ended(&SegmentEnded { theme, surprises: &surprises, shift, score });
        let surprise_nats = surprises.first().map(|first| first.surprise_nats);
        self.summary.ended(Ended { end, theme, p: now[theme], surprise_nats, score });
        self.features.end_segment(&now);
    }

    /// The forecasts for the segment of the token that is about to be written and those after it.
    fn forecast(&mut self, ended: bool) -> Foresight {
        self.features.write(&mut self.row);
        let kind = if ended { RowKind::Boundary } else { RowKind::Mid };
        self.forecaster.forecast(&self.bundle, kind, &self.row)
    }

    /// Judges how far the answer can be trusted: the prompt, at its end, where the bundle has a
    /// recogniser, else every residual of the last site.
    fn judge(&mut self, index: usize, segment_begins: bool) {
        let (hidden, reference) = (self.bundle.card.model.hidden_size, &self.bundle.card.reference);
        let of = |site: usize| &self.residuals[site * hidden..(site + 1) * hidden];
        let distance = match &self.bundle.trust {
            Some(_) if index > 0 => return,
            Some(recogniser) => {
                let site = self.sites.iter().position(|site| *site == recogniser.card.site);
                let distance = recogniser.distance(of(site.unwrap_or_default()));
                self.in_distribution = recogniser.in_distribution(distance);
                self.out = recogniser.is_out(distance);
                distance
            }
            None => {
                let distance = trust::distance(of(self.sites.len() - 1), reference);
                let range = (reference.median_distance, reference.distance_quantile_99);
                self.in_distribution = trust::in_distribution(distance, range);
                self.out = trust::is_out(distance, reference);
                distance
            }
        };
        if segment_begins {
            self.observer.residual(distance, self.out);
        }
    }

    /// Takes the residuals of the last position.
    ///
    /// # Errors
    /// [`PluginError::Failed`] where they have another shape than the bundle's, or are not finite:
    /// such numbers would stay in the running means and in whatever an observer sums up.
    fn observe(&mut self, step: &Step<'_>) -> Result<(), PluginError> {
        let card = &self.bundle.card;
        let found = (step.residuals.sites(), step.residuals.hidden_size());
        if found != (self.sites.len(), card.model.hidden_size) {
            let ((sites, hidden), wanted) = (found, (self.sites.len(), card.model.hidden_size));
            return Err(PluginError::failed(format!(
                "residuals of {sites} sites of width {hidden} came where {} of width {} are read",
                wanted.0, wanted.1
            )));
        }
        self.residuals.clear();
        for site in 0..found.0 {
            self.residuals.extend_from_slice(step.residuals.last(site));
        }
        if !self.residuals.iter().all(|value| value.is_finite()) {
            let at = step.index;
            return Err(PluginError::failed(format!("the residual at step {at} is not finite")));
        }
        // A site of the recogniser's own comes last and is none of the features'.
        self.features.observe(&self.residuals[..card.sites.len() * card.model.hidden_size]);
        Ok(())
    }

    fn annotate(&self, forecast: &Forecast, more: Option<(&'static str, Value)>) -> Annotation {
        let fields = forecast.fields(&self.bundle.card, &self.options);
        Annotation::new(fields.into_iter().chain(more))
    }
}

impl Session for ForecastSession {
    fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
        if step.index != self.next {
            let (want, got) = (self.next, step.index);
            return Err(PluginError::failed(format!("step {want} is missing: step {got} came")));
        }
        self.next += 1;
        self.observe(step)?;
        let begins = step.index == 0 || self.segmenter.push(step.text);
        if begins && step.index > 0 {
            self.end_segment(step.index, RowKind::Boundary);
        }
        self.judge(step.index, begins);
        let foresight = self.forecast(begins);
        let chains = foresight.chains(&self.bundle, self.options.horizon, self.options.chains);
        let sets = foresight.sets(&self.bundle);
        let steps = foresight.steps;
        if begins {
            self.pending.begin(&steps);
            self.observer.forecast(&ForecastMade { steps: &steps });
        }
        self.divergence.shift =
            self.pending.first().map_or(0.0, |first| jensen_shannon(first, &steps[0]));
        let forecast = Forecast {
            token: step.index,
            segment: self.segmenter.segment(),
            steps,
            chains,
            sets,
            divergence: self.divergence,
            in_distribution: self.in_distribution,
            watch: self.watched(begins),
        };
        let annotation = self.annotate(&forecast, None).milestone(begins);
        self.last = Some(forecast);
        Ok(Some(annotation))
    }

    fn end(&mut self, end: &End) -> Result<Option<Annotation>, PluginError> {
        let Some(mut last) = self.last.take() else { return Ok(None) };
        let tokens = end.tokens.max(last.token);
        if last.token > self.summary.tokens() {
            self.end_segment(tokens, RowKind::Mid);
        } else {
            // No token of the running segment was read, so nothing can tell its theme.
            self.summary.extend(tokens);
        }
        last.divergence = self.divergence;
        let summary = self.summary.value(tokens, &self.bundle.card.themes, self.divergence.alarm);
        Ok(Some(self.annotate(&last, Some(("summary", summary)))))
    }
}

fn most_likely(p: &[f32]) -> usize {
    let best = p.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.map_or(0, |(theme, _)| theme)
}
