//! Scores detectors: the most that an answer's statistic reaches, and when.

use super::{
    AlarmConfig,
    report::{AlarmReport, AtRate, DetectorReport, KindReport, SeenReport},
    traces::Trace,
};
use crate::eval::ood::auroc;

/// False alarms an answer at which detection is reported.
const RATES: [f64; 2] = [0.01, 0.001];

pub(super) fn report(
    config: &AlarmConfig,
    clean: &[Trace],
    spliced: &[Trace],
    group: &[Trace],
) -> AlarmReport {
    let detectors = names(clean).into_iter().map(|name| detector(name, clean, spliced, group));
    AlarmReport {
        bundle: config.bundle.display().to_string(),
        clean: clean.len(),
        spliced: spliced.len(),
        group: config.group.clone(),
        group_answers: group.len(),
        detectors: detectors.collect(),
        planted: Vec::new(),
    }
}

/// The names of the detectors.
fn names(traces: &[Trace]) -> Vec<&'static str> {
    let first = traces.iter().flat_map(|trace| &trace.moments).map(|(_, scores)| scores).next();
    first.map(|scores| scores.iter().map(|(name, _)| *name).collect()).unwrap_or_default()
}

/// Every detector on answers that leave their path from their first token on.
pub(super) fn kind(name: &str, clean: &[Trace], planted: &[Trace]) -> KindReport {
    let seen = |detector: &'static str| {
        let most = |traces: &[Trace]| -> Vec<f64> {
            traces.iter().map(|trace| peak(trace, detector)).collect()
        };
        let (known, strange) = (most(clean), most(planted));
        let limit = threshold(&known, RATES[0]);
        let share = |limit: f64| {
            strange.iter().filter(|score| **score >= limit).count() as f64
                / strange.len().max(1) as f64
        };
        SeenReport {
            detector: detector.to_owned(),
            auroc: auroc(&known, &strange),
            detected_at_alarm_level: share(1.0),
            detected_at_one_percent: share(limit),
        }
    };
    let detectors = names(clean).into_iter().map(seen).collect();
    KindReport { name: name.to_owned(), answers: planted.len(), detectors }
}

fn detector(
    name: &'static str,
    clean: &[Trace],
    spliced: &[Trace],
    group: &[Trace],
) -> DetectorReport {
    let most =
        |traces: &[Trace]| -> Vec<f64> { traces.iter().map(|trace| peak(trace, name)).collect() };
    let known = most(clean);
    let after: Vec<f64> = spliced.iter().map(|trace| peak_after(trace, name)).collect();
    let false_alarms = known.iter().filter(|score| **score >= 1.0).count();
    let at = |rate: f64, threshold: f64| {
        let delays = delays(spliced, name, threshold);
        AtRate {
            rate,
            detected: detected(&delays),
            median_delay_tokens: median(delays.iter().map(|delay| delay.map(|(tokens, _)| tokens))),
            median_delay_segments: median(delays.iter().map(|delay| delay.map(|(_, n)| n))),
        }
    };
    DetectorReport {
        name: name.to_owned(),
        auroc: auroc(&known, &after).unwrap_or(f64::NAN),
        group_auroc: auroc(&known, &most(group)),
        own: at(false_alarms as f64 / known.len() as f64, 1.0),
        detected: RATES.map(|rate| at(rate, threshold(&known, rate))).to_vec(),
    }
}

fn values<'a>(trace: &'a Trace, name: &'a str) -> impl Iterator<Item = (usize, f64)> + use<'a> {
    trace.moments.iter().filter_map(move |(token, scores)| {
        let score = scores.iter().find(|(of, _)| *of == name)?.1;
        Some((*token, f64::from(score)))
    })
}

fn peak(trace: &Trace, name: &str) -> f64 {
    values(trace, name).map(|(_, score)| score).fold(f64::NEG_INFINITY, f64::max)
}

fn peak_after(trace: &Trace, name: &str) -> f64 {
    let onset = trace.onset.unwrap_or(0);
    let after = values(trace, name).filter(|(token, _)| *token > onset);
    after.map(|(_, score)| score).fold(f64::NEG_INFINITY, f64::max)
}

/// The least statistic that at most a share `rate` of clean answers reach or pass.
fn threshold(known: &[f64], rate: f64) -> f64 {
    let mut sorted = known.to_vec();
    sorted.sort_by(f64::total_cmp);
    let allowed = (rate * sorted.len() as f64).floor() as usize;
    let highest = sorted[sorted.len() - 1 - allowed.min(sorted.len() - 1)];
    highest + highest.abs().max(1.0) * 1e-6
}

/// Tokens and segments from each splice to the first alarm after it; none where it was missed.
fn delays(spliced: &[Trace], name: &str, threshold: f64) -> Vec<Option<(usize, usize)>> {
    let delay = |trace: &Trace| {
        let onset = trace.onset.unwrap_or(0);
        let mut after = values(trace, name).filter(|(token, _)| *token > onset).zip(1..);
        let first = after.find(|((_, score), _)| *score >= threshold);
        first.map(|((token, _), segments)| (token - onset, segments))
    };
    spliced.iter().map(delay).collect()
}

fn detected(delays: &[Option<(usize, usize)>]) -> f64 {
    delays.iter().flatten().count() as f64 / delays.len().max(1) as f64
}

/// The median over all, misses being longer than any delay; none where it is a miss.
fn median(delays: impl Iterator<Item = Option<usize>>) -> Option<usize> {
    let mut sorted: Vec<usize> = delays.map(|delay| delay.unwrap_or(usize::MAX)).collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().filter(|delay| *delay < usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(scores: &[f32], onset: Option<usize>) -> Trace {
        let moments = scores.iter().enumerate();
        let moments = moments.map(|(at, score)| (10 * (at + 1), vec![("one", *score)])).collect();
        Trace { moments, onset }
    }

    #[test]
    fn what_rises_after_the_splice_is_detected_and_misses_count() {
        let clean: Vec<Trace> = (0..100).map(|at| trace(&[0.1, at as f32 / 200.0], None)).collect();
        let spliced = [
            trace(&[0.1, 0.2, 1.5], Some(10)),
            trace(&[0.9, 0.2, 0.3], Some(10)),
            trace(&[0.1, 2.0], Some(10)),
        ];
        let found = detector("one", &clean, &spliced, &[]);
        assert_eq!((found.own.rate, found.own.median_delay_segments), (0.0, Some(2)));
        assert!((found.own.detected - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(found.detected[0].median_delay_tokens, Some(20), "delays are 20, none, 10");
        assert!(found.auroc > 0.8 && found.group_auroc.is_none(), "{found:?}");
    }

    #[test]
    fn another_kind_of_divergence_counts_from_its_first_token_on() {
        let clean: Vec<Trace> = (0..100).map(|at| trace(&[0.1, at as f32 / 200.0], None)).collect();
        let planted = [trace(&[1.5, 0.2], None), trace(&[0.0, 0.6], None), trace(&[0.1], None)];
        let found = kind("a kind", &clean, &planted);
        let one = &found.detectors[0];
        assert_eq!((found.answers, one.detector.as_str()), (3, "one"));
        assert!((one.detected_at_alarm_level - 1.0 / 3.0).abs() < 1e-9);
        assert!((one.detected_at_one_percent - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_threshold_lets_no_more_than_its_rate_pass() {
        let known: Vec<f64> = (0..1000).map(f64::from).collect();
        let passed = |rate| {
            let threshold = threshold(&known, rate);
            known.iter().filter(|score| **score >= threshold).count()
        };
        assert_eq!((passed(0.01), passed(0.001)), (10, 1));
    }
}
