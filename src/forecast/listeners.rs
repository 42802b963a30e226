//! Who hears of each answer: metrics of all of them, the desk of alarms, the auditor, its trace.

use super::{
    Setting,
    audit::{Auditor, Heard},
    recent::Recent,
    trace::Trace,
};
use crate::metrics::ForecastMetrics;
use anyhow::Result;
use parking_lot::Mutex;
use std::sync::Arc;
use themecast_alarms::{Alarm, Desk, Detector as Kind, Likely, Verdict};
use themecast_forecast::{
    bundle::Card,
    events::{Detector, ForecastMade, Observer, Raised, Reaction, SegmentEnded},
};
use themecast_plugin_api::RequestInfo;

/// Hears of the answers of one bundle.
pub(super) struct Listeners(Arc<Shared>);

struct Shared {
    metrics: ForecastMetrics,
    desk: Option<Arc<Desk>>,
    recent: Arc<Recent>,
    auditor: Option<Auditor>,
    card: Arc<Card>,
    model: String,
}

/// Hears of one answer.
struct Listener {
    shared: Arc<Shared>,
    id: String,
    trace_id: Option<String>,
    /// The last segment's text, where alarms are to carry it.
    excerpt: Mutex<String>,
    trace: Trace,
    /// What the auditor is to label, if this answer is audited; taken once it has ended.
    heard: Option<Mutex<Option<Vec<Heard>>>>,
}

impl Listeners {
    /// # Errors
    /// One line that says why answers can't be audited.
    pub(super) fn new(setting: &Setting, card: Arc<Card>, model: &str) -> Result<Self> {
        let auditor = match setting.audited > 0.0 {
            true => Some(Auditor::start(setting, &card)?),
            false => None,
        };
        let metrics = ForecastMetrics::new(setting.metrics.clone(), &card, &setting.watches);
        let (desk, recent) = (setting.desk.clone(), setting.recent.clone());
        let model = model.to_owned();
        Ok(Self(Arc::new(Shared { metrics, desk, recent, auditor, card, model })))
    }

    /// The bundle has been taken: its answers begin.
    pub(super) fn begin(&self) {
        self.0.metrics.begin();
    }
}

impl Observer for Listeners {
    fn answer(&self, request: &RequestInfo) -> Option<Arc<dyn Observer>> {
        let audited = self.0.auditor.as_ref().is_some_and(|auditor| auditor.takes(&request.id));
        Some(Arc::new(Listener {
            shared: self.0.clone(),
            id: request.id.clone(),
            trace_id: request.trace_id.clone(),
            excerpt: Mutex::default(),
            trace: Trace::here(&request.id),
            heard: audited.then(|| Mutex::new(Some(Vec::new()))),
        }))
    }
}

impl Listener {
    fn described(&self, event: &Raised<'_>) -> Alarm {
        let Shared { card, model, desk, .. } = &*self.shared;
        let id = |theme: usize| card.themes.get(theme).map(|theme| theme.id.clone());
        let mut forecast: Vec<Likely> = event
            .forecast
            .iter()
            .enumerate()
            .filter_map(|(theme, &p)| Some(Likely { theme: id(theme)?, p }))
            .collect();
        forecast.sort_by(|a, b| b.p.total_cmp(&a.p));
        let text = desk.as_ref().is_some_and(|desk| desk.wants_text());
        Alarm {
            trace_id: self.trace_id.clone(),
            label: event.watch.map(str::to_owned),
            score: event.score,
            token: event.token,
            segment: event.segment,
            came: event.came.and_then(id),
            forecast,
            in_distribution: Some(event.in_distribution),
            excerpt: text.then(|| self.excerpt.lock().clone()).filter(|text| !text.is_empty()),
            ..Alarm::new(&self.id, model, kind(event.detector))
        }
    }
}

impl Observer for Listener {
    fn forecast(&self, event: &ForecastMade<'_>) {
        self.shared.metrics.forecast(event);
        self.trace.segment_begins();
    }

    fn segment_ended(&self, event: &SegmentEnded<'_>) {
        self.shared.metrics.segment_ended(event);
        let theme = self.shared.card.themes.get(event.theme).map(|theme| theme.id.as_str());
        self.trace.segment_ended(
            event.end,
            theme,
            event.surprises.first().map(|first| first.surprise_nats),
        );
        event.text.trim().clone_into(&mut self.excerpt.lock());
        if let Some(heard) = &self.heard
            && let Some(heard) = &mut *heard.lock()
            && event.complete
        {
            heard.push(Heard::new(event));
        }
    }

    fn alarm(&self, event: &Raised<'_>) -> Reaction {
        let reaction = self.shared.metrics.alarm(event);
        self.trace.alarm(event, "raised");
        let alarm = self.described(event);
        self.shared.recent.keep(alarm.clone());
        let Some(desk) = &self.shared.desk else { return reaction };
        match desk.raise(alarm) {
            Verdict::Continue => reaction,
            Verdict::Stop => Reaction::Stop,
        }
    }

    fn held_back(&self, event: &Raised<'_>) {
        self.shared.metrics.held_back(event);
        self.trace.alarm(event, "held_back");
    }

    fn residual(&self, distance: f32, out_of_distribution: bool) {
        self.shared.metrics.residual(distance, out_of_distribution);
    }

    fn ended(&self) {
        self.trace.ended();
        let heard = self.heard.as_ref().and_then(|heard| heard.lock().take());
        if let (Some(auditor), Some(heard)) = (&self.shared.auditor, heard) {
            auditor.audit(heard);
        }
    }
}

impl Drop for Listener {
    /// An answer whose session failed is not audited: that is counted. One whose client left is audited
    /// as far as it got.
    fn drop(&mut self) {
        let left = self.heard.as_mut().and_then(|heard| heard.get_mut().take());
        let left = left.filter(|heard| !heard.is_empty());
        if let (Some(auditor), Some(_)) = (&self.shared.auditor, left) {
            auditor.dropped();
        }
    }
}

fn kind(detector: Detector) -> Kind {
    match detector {
        Detector::Martingale => Kind::Martingale,
        Detector::Cusum => Kind::Cusum,
        Detector::PageHinkley => Kind::PageHinkley,
        Detector::Watch => Kind::Watch,
        Detector::OutOfDistribution => Kind::OutOfDistribution,
    }
}
