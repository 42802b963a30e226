//! What series are told apart by: each label is a type whose values are bounded, so that no text of
//! a request can become one.
//!
//! A label is an enum, a number within limits, or a name out of the bundle's catalogue or the
//! operator's configuration. A metric is defined with the types of its labels ([`Family`]) and
//! takes nothing else.

use super::Served;
use crate::session::Outcome as Said;
use axum::http::StatusCode;
use prometheus::core::{MetricVec, MetricVecBuilder};
use std::{borrow::Cow, marker::PhantomData, sync::Arc};
use themecast_alarms::{Outcome, PolicyLabel};
use themecast_forecast::{
    bundle::{Card, MOST_HORIZONS},
    events::Detector,
    watchlist::Watched,
};

/// Bins of equal width that highest probabilities are counted in.
const BINS: usize = 10;

/// One label.
pub(super) trait Label {
    /// Its name in the exposition.
    const NAME: &'static str;

    /// The value, one of a bounded set.
    fn value(&self) -> Cow<'_, str>;
}

/// The labels of one metric.
pub(super) trait Labels {
    /// Their names.
    fn names() -> Vec<&'static str>;

    /// Their values, in the order of the names.
    fn values(&self) -> Vec<Cow<'_, str>>;
}

impl<A: Label> Labels for A {
    fn names() -> Vec<&'static str> {
        vec![A::NAME]
    }

    fn values(&self) -> Vec<Cow<'_, str>> {
        vec![self.value()]
    }
}

impl<A: Label, B: Label> Labels for (A, B) {
    fn names() -> Vec<&'static str> {
        vec![A::NAME, B::NAME]
    }

    fn values(&self) -> Vec<Cow<'_, str>> {
        vec![self.0.value(), self.1.value()]
    }
}

/// A metric with the labels `L`: one series for each of their values that was asked for.
pub(super) struct Family<V, L> {
    vec: V,
    labels: PhantomData<fn(&L)>,
}

impl<B: MetricVecBuilder, L: Labels> Family<MetricVec<B>, L> {
    /// The metric as `make` makes it with the labels' names.
    pub(super) fn make<E>(
        make: impl FnOnce(&[&str]) -> Result<MetricVec<B>, E>,
    ) -> Result<Self, E> {
        Ok(Self { vec: make(&L::names())?, labels: PhantomData })
    }

    /// The series of these labels; it is in the exposition from now on.
    pub(super) fn of(&self, labels: &L) -> B::M {
        self.vec.with_label_values(&labels.values())
    }

    /// Takes every series out of the exposition.
    pub(super) fn reset(&self) {
        self.vec.reset();
    }
}

/// A label whose values are the words of an enum.
macro_rules! words {
    ($($label:ty: $name:literal, $word:expr;)*) => {$(
        impl Label for $label {
            const NAME: &'static str = $name;

            fn value(&self) -> Cow<'_, str> {
                let word: fn(&$label) -> &'static str = $word;
                word(self).into()
            }
        }
    )*};
}

words! {
    Served: "route", |route| route.name();
    Kind: "kind", |kind| match kind { Kind::Prompt => "prompt", Kind::Completion => "completion" };
    Engine: "state", |engine| match engine {
        Engine::Idle => "idle",
        Engine::Busy => "busy",
        Engine::Dead => "dead",
    };
    Forecasts: "outcome", |outcome| outcome.0;
    super::DropReason: "reason", |reason| reason.name();
    super::Failure: "kind", |failure| failure.name();
    Reload: "outcome", |reload| if reload.0 { "ok" } else { "refused" };
    Detector: "detector", |detector| detector.name();
    PolicyLabel: "policy", |policy| policy.as_str();
    Outcome: "outcome", |outcome| outcome.as_str();
    Agreement: "outcome", |agreement| if agreement.0 { "agree" } else { "differ" };
}

/// Whose tokens.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Those read.
    Prompt,
    /// Those written.
    Completion,
}

/// The state of an engine.
#[derive(Clone, Copy)]
pub(super) enum Engine {
    /// It runs nothing.
    Idle,
    /// It runs at least one request.
    Busy,
    /// It died and is being started again.
    Dead,
}

/// What came of showing a step to the plugin.
#[derive(Clone, Copy)]
pub(super) struct Forecasts(&'static str);

impl Forecasts {
    /// Every value.
    pub(super) const ALL: [Self; 3] = [Self("ok"), Self("none"), Self("error")];
}

impl From<&Said> for Forecasts {
    fn from(outcome: &Said) -> Self {
        let [ok, none, error] = Self::ALL;
        match outcome {
            Ok(Some(_)) => ok,
            Ok(None) => none,
            Err(_) => error,
        }
    }
}

/// Whether a bundle was taken.
#[derive(Clone, Copy)]
pub(super) struct Reload(pub(super) bool);

/// Whether head and labeller name the same theme.
#[derive(Clone, Copy)]
pub(super) struct Agreement(pub(super) bool);

/// An HTTP status that the server answered with.
pub(super) struct Status(pub(super) StatusCode);

impl Label for Status {
    const NAME: &'static str = "status";

    fn value(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

/// How many segments ahead, from 0 to the most that a bundle may look.
#[derive(Clone, Copy)]
pub(super) struct Ahead(usize);

impl Ahead {
    /// This far ahead, or as far as is possible at all.
    pub(super) fn new(ahead: usize) -> Self {
        Self(ahead.min(MOST_HORIZONS))
    }

    /// From 0 to `horizons`.
    pub(super) fn up_to(horizons: usize) -> impl Iterator<Item = Self> {
        (0..=horizons.min(MOST_HORIZONS)).map(Self)
    }
}

impl Label for Ahead {
    const NAME: &'static str = "ahead";

    fn value(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

/// A tenth of the probabilities, from 0 to 9.
#[derive(Clone, Copy)]
pub(super) struct Bin(usize);

impl Bin {
    /// The one that a probability falls into.
    pub(super) fn of(p: f32) -> Self {
        Self(((p * BINS as f32) as usize).min(BINS - 1))
    }

    /// Every one of them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..BINS).map(Self)
    }
}

impl Label for Bin {
    const NAME: &'static str = "bin";

    fn value(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

/// A theme of a bundle's catalogue.
#[derive(Clone)]
pub(super) struct Theme(Arc<str>);

impl Theme {
    /// The catalogue's themes, in its order.
    pub(super) fn all(card: &Card) -> Vec<Self> {
        card.themes.iter().map(|theme| Self(theme.id.as_str().into())).collect()
    }
}

impl Label for Theme {
    const NAME: &'static str = "theme";

    fn value(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

/// The theme that an answer came from.
pub(super) struct Before(pub(super) Theme);

impl Label for Before {
    const NAME: &'static str = "from";

    fn value(&self) -> Cow<'_, str> {
        self.0.value()
    }
}

/// The theme that came after it.
pub(super) struct After(pub(super) Theme);

impl Label for After {
    const NAME: &'static str = "to";

    fn value(&self) -> Cow<'_, str> {
        self.0.value()
    }
}

/// The name that the operator gave a watch.
pub(super) struct Watch(Box<str>);

impl From<&Watched> for Watch {
    fn from(watched: &Watched) -> Self {
        Self(watched.name.as_str().into())
    }
}

impl Watch {
    /// Whether it is the watch of this name.
    pub(super) fn is(&self, name: &str) -> bool {
        &*self.0 == name
    }
}

impl Label for Watch {
    const NAME: &'static str = "theme";

    fn value(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

/// The bundle in use, as its card describes it.
pub(super) struct Bundle([String; 5]);

impl From<&Card> for Bundle {
    fn from(card: &Card) -> Self {
        let [predictor, architecture, created] =
            [&card.predictor, &card.model.architecture, &card.created].map(Clone::clone);
        let (themes, horizons) = (card.themes.len().to_string(), card.horizons.to_string());
        Self([predictor, architecture, themes, horizons, created])
    }
}

impl Labels for Bundle {
    fn names() -> Vec<&'static str> {
        vec!["predictor", "architecture", "themes", "horizons", "created"]
    }

    fn values(&self) -> Vec<Cow<'_, str>> {
        self.0.iter().map(|value| value.as_str().into()).collect()
    }
}
