//! The segments of one answer as they come, how far they leave what was forecast, and the alarms.

use crate::{
    annotation::{Divergence, Trust},
    bundle::Bundle,
    divergence::{self, Monitor, Pending, jensen_shannon, surprises},
    events::{Detector, ForecastMade, Observer, Raised, Reaction, SegmentEnded},
    predict::Foresight,
    summary::{Ended, Summary},
    watchlist::Watching,
};

/// How often watches are told anew within a segment, in tokens: asking the chain takes a third of
/// a step, and what it says of coming segments hardly moves between boundaries.
const ANEW: usize = 8;

/// One answer's path so far.
pub(super) struct Path {
    pub(super) divergence: Divergence,
    pub(super) summary: Summary,
    pub(super) watches: Vec<Watching>,
    /// What made an observer want the answer to end, and at which token.
    pub(super) stop: Option<(Detector, usize)>,
    pending: Pending,
    monitor: Monitor,
    /// Tokens of the running segment so far.
    inside: usize,
    /// Alarms that wait for residuals like those of training.
    held: Vec<(Detector, f32)>,
    segments: usize,
    /// The theme of the segment that ended last.
    theme: Option<usize>,
    /// The prompt was told to be out of distribution.
    told_out: bool,
}

/// A segment that has ended before answer token `end`.
pub(super) struct Segment<'a> {
    pub(super) end: usize,
    pub(super) text: &'a str,
    /// Its theme's distribution, by the current-theme head; *shape* `[themes]`.
    pub(super) now: &'a [f32],
    /// The mean of its residuals at the last site, *shape* `[hidden]`.
    pub(super) mean: &'a [f32],
    /// It came to its own end; the answer did not end within it.
    pub(super) whole: bool,
    /// Nothing more of it would have come: it is whole, or the model ended the answer with it.
    pub(super) complete: bool,
}

/// What is forecast at one token.
pub(super) struct Now<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) foresight: &'a Foresight,
    /// A segment begins here.
    pub(super) begins: bool,
    /// How likely the phrases of all watches are to come.
    pub(super) phrases: &'a mut dyn FnMut() -> Vec<f32>,
}

impl Now<'_> {
    /// The probability that one of what `watch` names comes: of themes and phrases the likelier.
    fn comes(&self, watch: &Watching, phrases: &[f32]) -> f32 {
        let themes = match watch.themes() {
            [] => 0.0,
            themes => self.foresight.course(self.bundle).comes(themes, self.begins),
        };
        let phrases = phrases.get(watch.phrases()).unwrap_or_default();
        phrases.iter().copied().fold(themes, f32::max)
    }
}

impl Path {
    pub(super) fn new(bundle: &Bundle) -> Self {
        Self {
            divergence: Divergence::default(),
            summary: Summary::default(),
            watches: Vec::new(),
            stop: None,
            pending: Pending::default(),
            monitor: Monitor::new(bundle),
            inside: 0,
            held: Vec::new(),
            segments: 0,
            theme: None,
            told_out: false,
        }
    }

    /// A segment has ended.
    pub(super) fn end(
        &mut self,
        bundle: &Bundle,
        observer: &dyn Observer,
        trust: Trust,
        segment: Segment<'_>,
    ) {
        let Segment { end, text, now, mean, whole, complete } = segment;
        let theme = most_likely(now);
        let forecasts = self.pending.end();
        let surprises = surprises(&forecasts, theme);
        let shift = self.divergence.shift; // of the forecast at its last token
        self.segments += 1;
        let mut raised = Vec::new();
        if let Some((forecast, first)) = forecasts.first().zip(surprises.first()) {
            self.divergence.surprise_nats = first.surprise_nats;
            self.divergence.excess_nats = first.excess_nats;
            let segment = divergence::Segment { forecast, theme, residual_mean: mean };
            // The detectors are tuned on whole segments alone.
            if whole {
                raised = self.monitor.end(bundle, segment);
            }
            self.divergence.score = self.monitor.score();
        }
        let score = self.divergence.score;
        let ended = SegmentEnded {
            end,
            text,
            theme,
            before: self.theme.replace(theme),
            forecasts: &forecasts,
            surprises: &surprises,
            shift,
            score,
            complete,
        };
        // Whoever hears an alarm has heard of the segment that raised it.
        observer.segment_ended(&ended);
        if let Some(forecast) = forecasts.first() {
            let held = std::mem::take(&mut self.held).into_iter().map(|held| (held, true));
            let all = held.chain(raised.into_iter().map(|new| (new, false)));
            for ((detector, score), held) in all {
                let alarm = Raised {
                    detector,
                    watch: None,
                    score,
                    token: end,
                    segment: self.segments,
                    came: Some(theme),
                    forecast,
                    in_distribution: trust.in_distribution,
                };
                self.raise(observer, (trust, held), &alarm);
            }
        }
        self.summary.ended(Ended { end, theme, p: now[theme], surprises, shift, score });
    }

    /// At token and segment `at` this is forecast.
    pub(super) fn forecast(
        &mut self,
        observer: &dyn Observer,
        now: Now<'_>,
        (token, segment): (usize, usize),
        trust: Trust,
    ) {
        let (steps, begins) = (&now.foresight.steps, now.begins);
        if begins {
            self.pending.begin(steps);
            observer.forecast(&ForecastMade { steps });
        }
        self.divergence.shift =
            self.pending.first().map_or(0.0, |first| jensen_shannon(first, &steps[0]));
        let raised = |detector, score| Raised {
            detector,
            watch: None,
            score,
            token,
            segment,
            came: None,
            forecast: steps.get(1).map_or(&[], Vec::as_slice),
            in_distribution: trust.in_distribution,
        };
        // Without a recogniser one token in a hundred is out: no alarm.
        let recognised = now.bundle.trust.is_some() && trust.out;
        if recognised && !std::mem::replace(&mut self.told_out, true) {
            self.tell(observer, &raised(Detector::OutOfDistribution, 1.0));
        }
        self.inside = if begins { 0 } else { self.inside + 1 };
        // What begins counts at the first token alone.
        let anew = self.inside == 0 || self.inside % ANEW == 1;
        let mut watches = std::mem::take(&mut self.watches);
        let wanted = anew && watches.iter().any(|watch| !watch.phrases().is_empty());
        let phrases = if wanted { (now.phrases)() } else { Vec::new() };
        for watch in &mut watches {
            let p = if anew { now.comes(watch, &phrases) } else { watch.told() };
            if watch.push(p) {
                let alarm =
                    Raised { watch: Some(watch.name()), ..raised(Detector::Watch, watch.score()) };
                self.tell(observer, &alarm);
            }
        }
        self.watches = watches;
    }

    /// Tells of a divergence; of one in an answer beyond what the bundle knows only that it was
    /// held back, and of the divergence once the answer is back within.
    fn raise(&mut self, observer: &dyn Observer, (trust, held): (Trust, bool), alarm: &Raised<'_>) {
        if !trust.out {
            return self.tell(observer, alarm);
        }
        self.held.push((alarm.detector, alarm.score));
        if !held {
            observer.held_back(alarm);
        }
    }

    fn tell(&mut self, observer: &dyn Observer, alarm: &Raised<'_>) {
        self.divergence.raise(alarm.detector, alarm.watch);
        if observer.alarm(alarm) == Reaction::Stop {
            self.stop.get_or_insert((alarm.detector, alarm.token));
        }
    }
}

fn most_likely(p: &[f32]) -> usize {
    let best = p.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.map_or(0, |(theme, _)| theme)
}
