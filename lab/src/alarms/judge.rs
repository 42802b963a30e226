//! Scores detectors: the most that an answer's statistic reaches, and when.

use super::{
    rank::{Prompts, Ranked},
    report::{AtRate, DetectorReport, KindReport},
    traces::{ENTROPY, Trace},
};

/// False alarms an answer at which detection is reported.
const RATES: [f64; 2] = [0.01, 0.001];
/// What clean answers' and planted ones' prompts are drawn with.
const SEEDS: [u64; 2] = [0, 1];

/// The names of the detectors.
fn names(traces: &[Trace]) -> Vec<&'static str> {
    let first = traces.iter().flat_map(|trace| &trace.moments).map(|(_, scores)| scores).next();
    first.map(|scores| scores.iter().map(|(name, _)| *name).collect()).unwrap_or_default()
}

/// Every detector on answers that leave their path in one way, each compared with the first one.
pub(super) fn kind(name: &str, clean: &[Trace], planted: &[Trace]) -> KindReport {
    let (known, strange) = (Prompts::of(clean, SEEDS[0]), Prompts::of(planted, SEEDS[1]));
    let mut detectors: Vec<DetectorReport> = Vec::new();
    let mut first: Option<Ranked> = None;
    for detector in names(clean) {
        let ranked = Ranked::of(detector, (clean, &known), (planted, &strange));
        detectors.push(DetectorReport {
            auroc: ranked.auroc(),
            first_minus: first.as_ref().and_then(|first| first.above(&ranked)),
            ..found(detector, clean, (planted, &strange))
        });
        first.get_or_insert(ranked);
    }
    KindReport { name: name.to_owned(), answers: planted.len(), detectors }
}

/// What one detector finds, its ranks left out.
fn found(name: &str, clean: &[Trace], (planted, prompts): (&[Trace], &Prompts)) -> DetectorReport {
    let most = |trace: &Trace| {
        trace.values(name).fold(f64::NEG_INFINITY, |most, (_, score)| most.max(score))
    };
    let known: Vec<f64> = clean.iter().map(most).collect();
    let false_alarms = known.iter().filter(|score| **score >= 1.0).count();
    let at = |rate: f64, threshold: f64| {
        let delays = delays(planted, name, threshold);
        AtRate {
            rate,
            detected: prompts.draws.mean(detected(&prompts.of, &delays)),
            median_delay_tokens: median(delays.iter().map(|delay| delay.map(|(tokens, _)| tokens))),
            median_delay_segments: median(delays.iter().map(|delay| delay.map(|(_, n)| n))),
        }
    };
    DetectorReport {
        name: name.to_owned(),
        auroc: None,
        first_minus: None,
        own: (name != ENTROPY).then(|| at(false_alarms as f64 / known.len().max(1) as f64, 1.0)),
        detected: RATES.map(|rate| at(rate, threshold(&known, rate))).to_vec(),
    }
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
        if trace.values(name).any(early) {
            return None;
        }
        let mut after = trace.values(name).filter(|(token, _)| *token > onset).zip(1..);
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
    use super::{super::traces::tests::trace, *};

    /// The same answers, each to a prompt of its own.
    fn apart(traces: impl IntoIterator<Item = Trace>) -> Vec<Trace> {
        let numbered = traces.into_iter().enumerate();
        numbered.map(|(at, trace)| Trace { prompt: at.to_string(), ..trace }).collect()
    }

    #[test]
    fn answers_to_one_prompt_are_drawn_together() {
        let clean = apart((0..20).map(|at| trace(&[at as f32 / 20.0], None)));
        let planted = [trace(&[1.5], None), trace(&[0.2], None), trace(&[1.5], None)];
        let of =
            |planted: &[Trace]| kind("a kind", &clean, planted).detectors[0].own.unwrap().detected;
        let (one, three) = (of(&planted).unwrap(), of(&apart(planted)).unwrap());
        assert_eq!((one.interval.low, one.interval.high), (one.mean, one.mean));
        assert!(three.interval.low < one.mean && three.interval.high > one.mean, "{three:?}");
    }

    #[test]
    fn what_rises_after_the_turn_is_detected_and_misses_count() {
        let scores = |at: i32| [0.1, at as f32 / 400.0, at as f32 / 200.0];
        let clean = apart((0..100).map(|at| trace(&scores(at), None)));
        let turned = apart([
            trace(&[0.1, 0.2, 1.5], Some(10)),
            trace(&[0.9, 0.2, 0.3], Some(10)),
            trace(&[0.1, 2.0], Some(10)),
        ]);
        let found = kind("turned", &clean, &turned);
        let one = &found.detectors[0];
        assert_eq!((found.answers, one.name.as_str()), (3, "one"));
        assert_eq!((one.own.unwrap().rate, one.own.unwrap().median_delay_segments), (0.0, Some(2)));
        let detected = one.own.unwrap().detected.unwrap();
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
        assert!((one.own.unwrap().detected.unwrap().mean - 1.0 / 3.0).abs() < 1e-9);
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
