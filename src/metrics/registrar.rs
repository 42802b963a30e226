//! Making a metric and registering it, in one call.

use prometheus::{
    CounterVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    core::Collector,
};

/// A metric's whole name.
pub(super) fn name(name: &str) -> String {
    format!("themecast_{name}")
}

/// Makes a metric and registers it.
pub(super) struct Registrar<'a>(pub(super) &'a Registry);

impl Registrar<'_> {
    pub(super) fn add<M: Collector + Clone + 'static>(
        &self,
        metric: Result<M, prometheus::Error>,
    ) -> Result<M, prometheus::Error> {
        let metric = metric?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    pub(super) fn counters(
        &self,
        n: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(name(n), help), labels))
    }

    pub(super) fn sums(
        &self,
        n: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<CounterVec, prometheus::Error> {
        self.add(CounterVec::new(Opts::new(name(n), help), labels))
    }

    pub(super) fn gauges(&self, n: &str, help: &str) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(name(n), help), &["state"]))
    }

    pub(super) fn histogram(
        &self,
        n: &str,
        help: &str,
        buckets: &[f64],
    ) -> Result<Histogram, prometheus::Error> {
        let options = HistogramOpts::new(name(n), help).buckets(buckets.to_vec());
        self.add(Histogram::with_opts(options))
    }

    pub(super) fn histograms(
        &self,
        n: &str,
        help: &str,
        buckets: &[f64],
    ) -> Result<HistogramVec, prometheus::Error> {
        let options = HistogramOpts::new(name(n), help).buckets(buckets.to_vec());
        self.add(HistogramVec::new(options, &["ahead"]))
    }
}
