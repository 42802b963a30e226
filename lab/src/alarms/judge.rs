//! Scores detectors: the most that an answer's statistic reaches, and when.

use super::{
    report::{AtRate, DetectorReport, KindReport},
    traces::Trace,
};
use crate::eval::{
    Mean,
    bootstrap::{Draws, interval},
    ood::auroc,
};
use std::collections::HashMap;

/// False alarms an answer at which detection is reported.
const RATES: [f64; 2] = [0.01, 0.001];
/// Resamples of prompts behind every interval, and their seed.
const DRAWS: (usize, u64) = (1000, 0);

/// The names of the detectors.
fn names(traces: &[Trace]) -> Vec<&'static str> {
    let first = traces.iter().flat_map(|trace| &trace.moments).map(|(_, scores)| scores).next();
    first.map(|scores| scores.iter().map(|(name, _)| *name).collect()).unwrap_or_default()
}

/// Every detector on answers that leave their path in one way, each compared with the first one.
pub(super) fn kind(name: &str, clean: &[Trace], planted: &[Trace]) -> KindReport {
    let draws = [Prompts::of(clean, DRAWS.1), Prompts::of(planted, DRAWS.1 + 1)];
    let mut detectors: Vec<DetectorReport> = Vec::new();
    let mut first: Option<Peaks> = None;
    for detector in names(clean) {
        let peaks = Peaks::of(detector, clean, planted);
        detectors.push(self::detector(detector, &peaks, planted, first.as_ref(), &draws));
        first.get_or_insert(peaks);
    }
    KindReport { name: name.to_owned(), answers: planted.len(), detectors }
}

/// The prompts of answers, drawn over and over.
struct Prompts {
    /// The prompt's number of each answer.
    of: Vec<usize>,
    draws: Draws,
}

impl Prompts {
    fn of(traces: &[Trace], seed: u64) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut of = Vec::with_capacity(traces.len());
        for trace in traces {
            let next = numbers.len();
            of.push(*numbers.entry(&trace.prompt).or_insert(next));
        }
        Self { of, draws: Draws::new(numbers.len(), DRAWS.0, seed) }
    }

    /// `values`, one an answer, each as often as its prompt was drawn, draw after draw.
    fn drawn<'a>(&'a self, values: &'a [f64]) -> impl Iterator<Item = Vec<f64>> + 'a {
        self.draws.counts().iter().map(|counts| {
            let each = values.iter().zip(&self.of);
            each.flat_map(|(value, &of)| std::iter::repeat_n(*value, counts[of] as usize)).collect()
        })
    }
}

/// The most that a detector's statistic reaches in each answer, once it has turned where it turns.
struct Peaks {
    known: Vec<f64>,
    planted: Vec<f64>,
}

impl Peaks {
    fn of(name: &str, clean: &[Trace], planted: &[Trace]) -> Self {
        Self {
            known: clean.iter().map(|trace| peak_after(trace, name, 0)).collect(),
            planted: planted
                .iter()
                .map(|trace| peak_after(trace, name, trace.onset.unwrap_or(0)))
                .collect(),
        }
    }

    /// How often a planted answer's is higher than a clean one's, over all answers and over each
    /// draw of their prompts.
    fn aurocs(&self, [clean, planted]: &[Prompts; 2]) -> (f64, Vec<f64>) {
        let pairs = clean.drawn(&self.known).zip(planted.drawn(&self.planted));
        let draws = pairs.map(|(clean, planted)| auroc(&clean, &planted).unwrap_or(f64::NAN));
        (auroc(&self.known, &self.planted).unwrap_or(f64::NAN), draws.collect())
    }
}

fn detector(
    name: &'static str,
    peaks: &Peaks,
    planted: &[Trace],
    first: Option<&Peaks>,
    draws: &[Prompts; 2],
) -> DetectorReport {
    let false_alarms = peaks.known.iter().filter(|score| **score >= 1.0).count();
    let at = |rate: f64, threshold: f64| {
        let delays = delays(planted, name, threshold);
        AtRate {
            rate,
            detected: draws[1].draws.mean(detected(&draws[1].of, &delays)),
            median_delay_tokens: median(delays.iter().map(|delay| delay.map(|(tokens, _)| tokens))),
            median_delay_segments: median(delays.iter().map(|delay| delay.map(|(_, n)| n))),
        }
    };
    let (own, drawn) = peaks.aurocs(draws);
    let mean = |mean: f64, values: Vec<f64>| {
        interval(values).filter(|_| mean.is_finite()).map(|interval| Mean { mean, interval })
    };
    let first_minus = first.and_then(|first| {
        let (other, others) = first.aurocs(draws);
        mean(other - own, others.iter().zip(&drawn).map(|(other, own)| other - own).collect())
    });
    DetectorReport {
        name: name.to_owned(),
        first_minus,
        auroc: mean(own, drawn),
        own: at(false_alarms as f64 / peaks.known.len().max(1) as f64, 1.0),
        detected: RATES.map(|rate| at(rate, threshold(&peaks.known, rate))).to_vec(),
    }
}

fn values<'a>(trace: &'a Trace, name: &'a str) -> impl Iterator<Item = (usize, f64)> + use<'a> {
    trace.moments.iter().filter_map(move |(token, scores)| {
        let score = scores.iter().find(|(of, _)| *of == name)?.1;
        Some((*token, f64::from(score)))
    })
}

/// The most that the statistic reaches after `onset` tokens.
fn peak_after(trace: &Trace, name: &str, onset: usize) -> f64 {
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

/// Tokens and segments from where each answer turned (its start where nothing says) to the first
/// alarm after it; none where it was missed, or where an alarm stood before there was a reason.
fn delays(planted: &[Trace], name: &str, threshold: f64) -> Vec<Option<(usize, usize)>> {
    let delay = |trace: &Trace| {
        let onset = trace.onset.unwrap_or(0);
        let early = |(token, score): (usize, f64)| token <= onset && score >= threshold;
        if values(trace, name).any(early) {
            return None;
        }
        let mut after = values(trace, name).filter(|(token, _)| *token > onset).zip(1..);
        let first = after.find(|((_, score), _)| *score >= threshold);
        first.map(|((token, _), segments)| (token - onset, segments))
    };
    planted.iter().map(delay).collect()
}

/// 1 for each answer that was detected, with its prompt's number.
fn detected(
    prompts: &[usize],
    delays: &[Option<(usize, usize)>],
) -> impl Iterator<Item = (usize, f64)> {
    prompts.iter().zip(delays).map(|(of, delay)| (*of, f64::from(u8::from(delay.is_some()))))
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
        Trace { prompt: String::new(), moments, onset }
    }

    /// The same answers, each to a prompt of its own.
    fn apart(traces: impl IntoIterator<Item = Trace>) -> Vec<Trace> {
        let numbered = traces.into_iter().enumerate();
        numbered.map(|(at, trace)| Trace { prompt: at.to_string(), ..trace }).collect()
    }

    #[test]
    fn answers_to_one_prompt_are_drawn_together() {
        let clean = apart((0..20).map(|at| trace(&[at as f32 / 20.0], None)));
        let planted = [trace(&[1.5], None), trace(&[0.2], None), trace(&[1.5], None)];
        let of = |planted: &[Trace]| kind("a kind", &clean, planted).detectors[0].own.detected;
        let (one, three) = (of(&planted).unwrap(), of(&apart(planted)).unwrap());
        assert_eq!((one.interval.low, one.interval.high), (one.mean, one.mean));
        assert!(three.interval.low < one.mean && three.interval.high > one.mean, "{three:?}");
    }

    #[test]
    fn what_rises_after_the_turn_is_detected_and_misses_count() {
        let clean = apart((0..100).map(|at| trace(&[0.1, at as f32 / 200.0], None)));
        let turned = apart([
            trace(&[0.1, 0.2, 1.5], Some(10)),
            trace(&[0.9, 0.2, 0.3], Some(10)),
            trace(&[0.1, 2.0], Some(10)),
        ]);
        let found = kind("turned", &clean, &turned);
        let one = &found.detectors[0];
        assert_eq!((found.answers, one.name.as_str()), (3, "one"));
        assert_eq!((one.own.rate, one.own.median_delay_segments), (0.0, Some(2)));
        let detected = one.own.detected.unwrap();
        assert!((detected.mean - 2.0 / 3.0).abs() < 1e-9);
        assert!(detected.interval.low < 0.34 && detected.interval.high == 1.0, "{detected:?}");
        assert_eq!(one.detected[0].median_delay_tokens, Some(20), "delays are 20, none, 10");
        let auroc = one.auroc.unwrap();
        assert!(auroc.mean > 0.8 && auroc.interval.low < auroc.mean, "{auroc:?}");
        assert!(one.first_minus.is_none(), "it is the first");
    }

    #[test]
    fn an_alarm_that_stood_before_the_turn_detects_nothing() {
        let turned = [trace(&[1.2, 1.3, 1.5], Some(10)), trace(&[0.2, 1.3], Some(10))];
        assert_eq!(delays(&turned, "one", 1.0), [None, Some((10, 1))]);
    }

    #[test]
    fn another_kind_of_divergence_counts_from_its_first_token_on() {
        let clean = apart((0..100).map(|at| trace(&[0.1, at as f32 / 200.0], None)));
        let planted = [trace(&[1.5, 0.2], None), trace(&[0.0, 0.6], None), trace(&[0.1], None)];
        let found = kind("a kind", &clean, &planted);
        let one = &found.detectors[0];
        assert_eq!((found.answers, one.name.as_str()), (3, "one"));
        assert!((one.own.detected.unwrap().mean - 1.0 / 3.0).abs() < 1e-9);
        assert!((one.detected[0].detected.unwrap().mean - 2.0 / 3.0).abs() < 1e-9);
        assert!(kind("none", &clean, &[]).detectors[0].auroc.is_none());
    }

    #[test]
    fn a_detector_is_compared_with_the_first_on_the_same_draws() {
        let both = |one: f32, other: f32| Trace {
            prompt: String::new(),
            moments: vec![(10, vec![("one", one), ("other", other)])],
            onset: None,
        };
        let clean = apart((0..40).map(|at| both(at as f32 / 100.0, 0.5)));
        let planted = apart((0..40).map(|at| both(0.3 + at as f32 / 100.0, 0.5)));
        let found = kind("a kind", &clean, &planted);
        let minus = found.detectors[1].first_minus.unwrap();
        let [first, second] = [0, 1].map(|at| found.detectors[at].auroc.unwrap().mean);
        assert_eq!(second, 0.5);
        assert!((minus.mean - (first - second)).abs() < 1e-12 && minus.interval.low > 0.3);
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
