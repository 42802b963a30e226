//! The metrics themselves: names, help texts, labels and buckets, in the contract's order.

use super::{
    DropReason, Failure, Served,
    labels::{
        After, Agreement, Ahead, Before, Bin, Bundle, Engine, Family, Forecasts as Forecast, Kind,
        Reload, Status, Theme, Watch,
    },
    registrar::{Registrar, name},
};
use crate::host::Load;
use prometheus::{
    CounterVec, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Registry,
};
use themecast_alarms::{Outcome, PolicyLabel};
use themecast_forecast::events::Detector;

/// Events, counted by labels.
type Counts<L> = Family<IntCounterVec, L>;
/// Numbers that are not whole, summed by labels.
type Sums<L> = Family<CounterVec, L>;

/// Seconds from under a microsecond's work to a stalled step.
const FAST: &[f64] = &[1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.025, 0.1];
/// Seconds between tokens, from a small model on a GPU to a large one on a CPU.
const TOKEN: &[f64] = &[0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0];
/// Seconds to the first token, waiting included.
const FIRST: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Nats of surprise.
const NATS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0];
/// Nats of surprise beyond the forecast's own entropy.
const EXCESS: &[f64] = &[-2.0, -1.5, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0];
/// Shares of one.
const SHARE: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0];
/// Standard deviations from the training distribution.
const DISTANCE: &[f64] = &[0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0];

pub(super) struct Families {
    pub(super) work: Work,
    pub(super) plugin: PluginRuns,
    pub(super) forecasts: Forecasts,
    pub(super) divergence: Divergence,
    pub(super) audits: Audits,
}

/// Traffic: requests, tokens, latency, engines.
pub(super) struct Work {
    pub(super) requests: Counts<(Served, Status)>,
    pub(super) in_flight: IntGauge,
    pub(super) waiting: IntGauge,
    pub(super) tokens: Counts<Kind>,
    pub(super) first_token: Histogram,
    pub(super) inter_token: Histogram,
    pub(super) engines: Family<IntGaugeVec, Engine>,
    pub(super) isolation: IntGauge,
}

/// The plugin: what it said, how long it took, what went wrong.
pub(super) struct PluginRuns {
    pub(super) forecasts: Counts<Forecast>,
    pub(super) forecast: Histogram,
    pub(super) tap: Histogram,
    pub(super) tap_bytes: IntCounter,
    pub(super) dropped: Counts<DropReason>,
    pub(super) failures: Counts<Failure>,
    pub(super) bundle: Family<IntGaugeVec, Bundle>,
    pub(super) reloads: Counts<Reload>,
}

/// What was forecast and what came.
pub(super) struct Forecasts {
    pub(super) probability: Sums<(Theme, Ahead)>,
    pub(super) samples: Counts<Ahead>,
    pub(super) realized: Counts<Theme>,
    pub(super) transitions: Counts<(Before, After)>,
    pub(super) reference: Family<GaugeVec, Theme>,
}

/// How far answers left their paths, and whether to trust that.
pub(super) struct Divergence {
    pub(super) surprise: Family<HistogramVec, Ahead>,
    pub(super) excess: Family<HistogramVec, Ahead>,
    pub(super) shift: Histogram,
    pub(super) score: Histogram,
    pub(super) alarms: Counts<Detector>,
    pub(super) held_back: Counts<Detector>,
    pub(super) watches: Counts<Watch>,
    pub(super) actions: Counts<(PolicyLabel, Outcome)>,
    pub(super) out_of_distribution: IntCounter,
    pub(super) distance: Histogram,
}

/// What audited answers say of the forecasts: their segments were labelled by the real labeller.
pub(super) struct Audits {
    pub(super) answers: IntCounter,
    pub(super) dropped: IntCounter,
    pub(super) agreement: Counts<Agreement>,
    pub(super) samples: Counts<(Ahead, Bin)>,
    pub(super) confidence: Sums<(Ahead, Bin)>,
    pub(super) hits: Counts<(Ahead, Bin)>,
    pub(super) brier: Sums<Ahead>,
}

impl Families {
    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let r = Registrar(registry);
        Ok(Self {
            work: Work::register(&r)?,
            plugin: PluginRuns::register(&r)?,
            forecasts: Forecasts::register(&r)?,
            divergence: Divergence::register(&r)?,
            audits: Audits::register(&r)?,
        })
    }

    /// Sets the gauges of the engines.
    pub(super) fn load(&self, load: Load) {
        self.work.waiting.set(signed(load.waiting));
        let Load { idle, busy, dead, .. } = load;
        for (state, count) in [(Engine::Idle, idle), (Engine::Busy, busy), (Engine::Dead, dead)] {
            self.work.engines.of(&state).set(signed(count));
        }
    }
}

impl Work {
    fn register(r: &Registrar<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            requests: r.counters("requests_total", "Requests answered.")?,
            in_flight: r
                .add(IntGauge::new(name("requests_in_flight"), "Requests being answered."))?,
            waiting: r.add(IntGauge::new(
                name("requests_waiting"),
                "Requests that wait for an engine.",
            ))?,
            tokens: r.counters("tokens_total", "Tokens read (prompt) and written (completion).")?,
            first_token: r.histogram(
                "time_to_first_token_seconds",
                "From a streamed request to its first token, waiting included.",
                FIRST,
            )?,
            inter_token: r.histogram(
                "inter_token_seconds",
                "Between two tokens of a streamed answer.",
                TOKEN,
            )?,
            engines: r.gauges("engines", "Engines by state: idle, busy, dead.")?,
            isolation: r.add(IntGauge::new(
                name("isolation_check"),
                "1: requests sent at once were answered as alone; 0: they were \
                 mixed, so engines run one sequence each.",
            ))?,
        })
    }
}

impl PluginRuns {
    fn register(r: &Registrar<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            forecasts: r.counters("forecasts_total", "Steps shown to the plugin, by outcome.")?,
            forecast: r.histogram(
                "forecast_seconds",
                "From the tap of a step to its annotation.",
                FAST,
            )?,
            tap: r.histogram(
                "tap_seconds",
                "Copying a step's residuals on the engine's thread.",
                FAST,
            )?,
            tap_bytes: r
                .add(IntCounter::new(name("tap_bytes_total"), "Bytes of residuals copied."))?,
            dropped: r.counters(
                "annotations_dropped_total",
                "Annotations that were not sent, by reason.",
            )?,
            failures: r
                .counters("plugin_failures_total", "Sessions given up, by what went wrong.")?,
            bundle: r.gauges("bundle_info", "1 for the bundle in use.")?,
            reloads: r
                .counters("bundle_reloads_total", "Bundles swapped while serving, by outcome.")?,
        })
    }
}

impl Forecasts {
    fn register(r: &Registrar<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            probability: r.sums(
                "forecast_probability_total",
                "Forecast probabilities, summed over the forecasts made at segment starts.",
            )?,
            samples: r.counters(
                "forecast_samples_total",
                "Forecasts summed in themecast_forecast_probability_total.",
            )?,
            realized: r.counters(
                "realized_themes_total",
                "Themes that came, by the current-theme head at segment ends.",
            )?,
            transitions: r.counters(
                "theme_transitions_total",
                "Themes that came (to) after another (from) in the same answer, by the \
                 current-theme head at segment ends.",
            )?,
            reference: r.shares(
                "reference_theme_share",
                "Share of each theme in the bundle's training data.",
            )?,
        })
    }
}

impl Divergence {
    fn register(r: &Registrar<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            surprise: r.histograms(
                "surprise_nats",
                "Minus the log probability of the theme that came.",
                NATS,
            )?,
            excess: r.histograms(
                "excess_surprise_nats",
                "Surprise minus the entropy of the forecast; mean zero when \
                 calibrated.",
                EXCESS,
            )?,
            shift: r.histogram(
                "forecast_shift",
                "Jensen-Shannon divergence (base 2) between a segment's first \
                 forecast and its last.",
                SHARE,
            )?,
            score: r.histogram(
                "divergence_score",
                "The drift statistic at segment ends, as a fraction of its \
                 alarm level.",
                SHARE,
            )?,
            alarms: r.counters(
                "drift_alarms_total",
                "Answers that left the path that was forecast, by detector.")?,
            held_back: r.counters(
                "drift_alarms_held_back_total",
                "Alarms about answers that are out of distribution, by detector; not among the others.")?,
            watches: r.counters(
                "watch_alarms_total",
                "Watched themes that became likely, by the name the operator gave the watch.")?,
            actions: r.counters(
                "policy_actions_total",
                "What became of alarms, by the policy that was applied.")?,
            out_of_distribution: r.add(IntCounter::new(
                name("out_of_distribution_total"),
                "Judged residuals beyond the 99th percentile of traffic like that of training: \
                 one an answer, at the prompt's end, where the bundle has a recogniser.",
            ))?,
            distance: r.histogram(
                "residual_distance",
                "Distance of residuals from the training distribution, in \
                 standard deviations per dimension.",
                DISTANCE,
            )?,
        })
    }
}

impl Audits {
    fn register(r: &Registrar<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            answers: r.add(IntCounter::new(
                name("audited_answers_total"),
                "Answers whose segments were labelled by the real labeller.",
            ))?,
            dropped: r.add(IntCounter::new(
                name("audits_dropped_total"),
                "Answers that were to be audited and were not: session or labeller failed or was behind.",
            ))?,
            agreement: r.counters(
                "label_agreement_total",
                "Segments of audited answers: whether the current-theme head and the labeller agree.")?,
            samples: r.counters(
                "calibration_samples_total",
                "Forecasts of audited segments, by the tenth their highest probability falls into.")?,
            confidence: r.sums(
                "calibration_confidence_total",
                "Their highest probabilities, summed.")?,
            hits: r.counters(
                "calibration_hits_total",
                "How many of them named the theme that came.")?,
            brier: r.sums(
                "brier_total",
                "Multiclass Brier scores of audited forecasts, summed: 0 to 2 each.")?,
        })
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
