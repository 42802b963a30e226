//! Making a metric and registering it, in one call; its labels are those of its type.

use super::labels::{Family, Labels};
use prometheus::{
    CounterVec, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts,
    Registry,
    core::{Collector, MetricVec, MetricVecBuilder},
};

/// What making a metric comes to.
type Made<M> = Result<M, prometheus::Error>;

/// A metric's whole name.
pub(super) fn name(name: &str) -> String {
    format!("themecast_{name}")
}

/// Makes a metric and registers it.
pub(super) struct Registrar<'a>(pub(super) &'a Registry);

impl Registrar<'_> {
    pub(super) fn add<M: Collector + Clone + 'static>(&self, metric: Made<M>) -> Made<M> {
        let metric = metric?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn family<B: MetricVecBuilder + 'static, L: Labels>(
        &self,
        make: impl FnOnce(&[&str]) -> Made<MetricVec<B>>,
    ) -> Made<Family<MetricVec<B>, L>>
    where
        MetricVec<B>: Collector,
    {
        Family::make(|labels| self.add(make(labels)))
    }

    pub(super) fn counters<L: Labels>(
        &self,
        n: &str,
        help: &str,
    ) -> Made<Family<IntCounterVec, L>> {
        self.family(|labels| IntCounterVec::new(Opts::new(name(n), help), labels))
    }

    pub(super) fn sums<L: Labels>(&self, n: &str, help: &str) -> Made<Family<CounterVec, L>> {
        self.family(|labels| CounterVec::new(Opts::new(name(n), help), labels))
    }

    pub(super) fn gauges<L: Labels>(&self, n: &str, help: &str) -> Made<Family<IntGaugeVec, L>> {
        self.family(|labels| IntGaugeVec::new(Opts::new(name(n), help), labels))
    }

    pub(super) fn shares<L: Labels>(&self, n: &str, help: &str) -> Made<Family<GaugeVec, L>> {
        self.family(|labels| GaugeVec::new(Opts::new(name(n), help), labels))
    }

    pub(super) fn histogram(&self, n: &str, help: &str, buckets: &[f64]) -> Made<Histogram> {
        let options = HistogramOpts::new(name(n), help).buckets(buckets.to_vec());
        self.add(Histogram::with_opts(options))
    }

    pub(super) fn histograms<L: Labels>(
        &self,
        n: &str,
        help: &str,
        buckets: &[f64],
    ) -> Made<Family<HistogramVec, L>> {
        let options = HistogramOpts::new(name(n), help).buckets(buckets.to_vec());
        self.family(|labels| HistogramVec::new(options, labels))
    }
}
