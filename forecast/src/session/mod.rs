//! One answer's forecast: segments, features, heads and divergence, one token at a time.
//!
//! `residuals` takes what the host read and judges how far it can be trusted, `path` follows the
//! answer's segments and raises alarms; here the two meet.

mod path;
mod residuals;

use crate::{
    annotation::Forecast,
    bundle::Bundle,
    events::Observer,
    features::FeatureState,
    linear::RowKind,
    open::{Chance, OpenHead, Watch},
    options::Options,
    predict::{Forecaster, Foresight},
    segment::Segmenter,
    text::Reader,
    watchlist::Watching,
};
use path::{Now, Path, Segment};
use residuals::Residuals;
use std::sync::Arc;
use themecast_plugin_api::{Annotation, End, EndReason, PluginError, Session, Step, Value};

/// The session of one answer.
pub(crate) struct ForecastSession {
    bundle: Arc<Bundle>,
    observer: Arc<dyn Observer>,
    options: Options,
    segmenter: Segmenter,
    features: FeatureState,
    forecaster: Forecaster,
    residuals: Residuals,
    path: Path,
    /// The text of the running segment.
    text: String,
    /// Reads it into the features, where the bundle wants that.
    reader: Option<Reader>,
    phrases: Watch,
    /// The phrases of the operator's watches.
    watched: Watch,
    /// The step that is expected next.
    next: usize,
    /// Reused from step to step: the row of features.
    row: Vec<f32>,
    last: Option<Forecast>,
}

impl ForecastSession {
    pub(crate) fn new(bundle: Arc<Bundle>, observer: Arc<dyn Observer>, options: Options) -> Self {
        Self {
            segmenter: Segmenter::new(&bundle.card.segmenter),
            features: FeatureState::new(bundle.layout()),
            forecaster: Forecaster::new(&bundle),
            residuals: Residuals::new(&bundle),
            path: Path::new(&bundle),
            text: String::new(),
            reader: None,
            phrases: Watch::default(),
            watched: Watch::default(),
            next: 0,
            row: Vec::new(),
            last: None,
            bundle,
            observer,
            options,
        }
    }

    /// The same, with phrases to score at every step.
    pub(crate) fn scoring(self, phrases: Watch) -> Self {
        Self { phrases, ..self }
    }

    /// The same, with themes and phrases that must not come; `watched` scores those phrases.
    pub(crate) fn watching(mut self, watches: Vec<Watching>, watched: Watch) -> Self {
        self.path.watches = watches;
        self.watched = watched;
        self
    }

    /// The same, reading the text from `prompt` on.
    ///
    /// # Errors
    /// [`PluginError::Failed`] where the prompt can't be encoded.
    pub(crate) fn reading(mut self, reader: Reader, prompt: &str) -> Result<Self, PluginError> {
        let read = reader.read(prompt).map_err(PluginError::failed)?;
        self.features.read_prompt(&read);
        self.reader = Some(reader);
        Ok(self)
    }

    /// The segment of the last token has ended before answer token `end`, `complete` or cut off; its
    /// theme is decided by the head that `kind` has for the segment being read. Heads between
    /// boundaries know the text up to the last one alone.
    fn end_segment(
        &mut self,
        end: usize,
        kind: RowKind,
        complete: bool,
    ) -> Result<(), PluginError> {
        let whole = kind == RowKind::Boundary;
        if let Some(reader) = self.reader.as_ref().filter(|_| whole) {
            let read = reader.read(&self.text).map_err(PluginError::failed)?;
            self.features.read_segment(&read);
        }
        self.features.write(&mut self.row);
        let mut now = Vec::new();
        self.bundle.predictor.heads(kind)[0].probabilities(&self.row, &mut now);
        let mean = self.bundle.layout().last_segment_mean();
        let (text, mean) = (&self.text[..], &self.row[mean]);
        let segment = Segment { end, text, now: &now, mean, whole, complete };
        self.path.end(&self.bundle, &*self.observer, self.residuals.trust(), segment);
        self.features.end_segment(&now);
        self.text.clear();
        Ok(())
    }

    /// The forecasts for the segment of the token that is about to be written and those after it.
    fn forecast(&mut self, kind: RowKind) -> Foresight {
        self.features.write(&mut self.row);
        self.forecaster.forecast(&self.bundle, kind, &self.row)
    }

    fn annotate(
        &self,
        forecast: &Forecast,
        more: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Annotation {
        let fields = forecast.fields(&self.bundle.card, &self.options);
        Annotation::new(fields.into_iter().chain(more))
    }
}

/// How likely the phrases that `watch` scores are to come, by a row of features.
fn phrases(watch: &mut Watch, (bundle, kind): (&Bundle, RowKind), row: &[f32]) -> Vec<Chance> {
    let score = |head: &OpenHead| watch.chances(head, kind, row, &bundle.layout());
    bundle.open.as_ref().map(score).unwrap_or_default()
}

impl Session for ForecastSession {
    fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
        if step.index != self.next {
            let (want, got) = (self.next, step.index);
            return Err(PluginError::failed(format!("step {want} is missing: step {got} came")));
        }
        self.next += 1;
        self.residuals.read(step)?;
        self.features.observe(self.residuals.of_features(&self.bundle));
        self.text.push_str(step.text);
        let begins = step.index == 0 || self.segmenter.push(step.text);
        if begins && step.index > 0 {
            self.end_segment(step.index, RowKind::Boundary, true)?;
        }
        let last = self.features.last_site();
        self.residuals.judge(&self.bundle, last, (step.index, begins), &*self.observer);
        let kind = if begins { RowKind::Boundary } else { RowKind::Mid };
        let foresight = self.forecast(kind);
        let at = (step.index, self.segmenter.segment());
        let trust = self.residuals.trust();
        let bundle = &*self.bundle;
        let mut watched = || {
            let chances = phrases(&mut self.watched, (bundle, kind), &self.row);
            chances.into_iter().map(|chance| chance.p).collect()
        };
        let now = Now { bundle, foresight: &foresight, begins, phrases: &mut watched };
        self.path.forecast(&*self.observer, now, at, trust);
        let forecast = Forecast {
            token: step.index,
            segment: self.segmenter.segment(),
            chains: foresight
                .course(&self.bundle)
                .chains(self.options.horizon, self.options.chains),
            sets: foresight.sets(&self.bundle),
            disagreement_nats: foresight.disagreement_nats,
            steps: foresight.steps,
            divergence: self.path.divergence.clone(),
            trust,
            watch: phrases(&mut self.phrases, (bundle, kind), &self.row),
        };
        let annotation =
            self.annotate(&forecast, None).milestone(begins).stop(self.path.stop.is_some());
        self.last = Some(forecast);
        Ok(Some(annotation))
    }

    fn end(&mut self, end: &End) -> Result<Option<Annotation>, PluginError> {
        let Some(mut last) = self.last.take() else { return Ok(None) };
        let tokens = end.tokens.max(last.token);
        if last.token > self.path.summary.tokens() {
            self.end_segment(tokens, RowKind::Mid, end.reason == EndReason::Stop)?;
        } else {
            // No token of the running segment was read, so nothing can tell its theme.
            self.path.summary.extend(tokens);
        }
        self.observer.ended();
        last.divergence = self.path.divergence.clone();
        let divergence = &self.path.divergence;
        let summary = self.path.summary.value(tokens, &self.bundle.card.themes, divergence);
        let stopped =
            self.path.stop.filter(|_| end.reason == EndReason::Stopped).map(|(by, token)| {
                ("stopped", Value::map([("by", by.name().into()), ("token", token.into())]))
            });
        let more = [("summary", summary)].into_iter().chain(stopped);
        Ok(Some(self.annotate(&last, more)))
    }
}
