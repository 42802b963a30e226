//! A forecast as the annotation that goes out with its token.

use crate::{
    bundle::{Card, Theme},
    chains::Chain,
    divergence::entropy_nats,
    events::Detector,
    open::Chance,
    options::Options,
};
use themecast_plugin_api::Value;

/// What is known at one token; rendered as the contract says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forecast {
    /// The token's index in the answer.
    pub(crate) token: usize,
    /// The segment that it falls into.
    pub(crate) segment: usize,
    /// One distribution a segment ahead, 0 being the token's own; *shape* `[ahead][themes]`.
    pub(crate) steps: Vec<Vec<f32>>,
    /// The most probable chains of the segments ahead.
    pub(crate) chains: Vec<Chain>,
    /// How many themes each conformal set holds, by segments ahead; empty where not calibrated.
    pub(crate) sets: Vec<usize>,
    /// How far opinions are apart, by segments ahead, in nats; empty where there is one.
    pub(crate) disagreement_nats: Vec<f32>,
    pub(crate) divergence: Divergence,
    pub(crate) trust: Trust,
    /// The chance of each phrase that is watched for, in the order of the request.
    pub(crate) watch: Vec<Chance>,
}

/// How far an answer can be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trust {
    /// How much it is in distribution, 0 to 1.
    pub(crate) in_distribution: f32,
    /// The answer, or its present residual, is beyond what the bundle knows.
    pub(crate) out: bool,
}

/// How far the answer has left its path.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Divergence {
    pub(crate) surprise_nats: f32,
    pub(crate) excess_nats: f32,
    pub(crate) shift: f32,
    pub(crate) score: f32,
    /// The test has raised its alarm.
    pub(crate) alarm: bool,
    /// All alarms so far, by detector; a watch with its name.
    raised: Vec<String>,
}

impl Forecast {
    /// The annotation's fields, in the contract's order.
    pub(crate) fn fields(&self, card: &Card, options: &Options) -> Vec<(&'static str, Value)> {
        let themes = &card.themes;
        let ahead = &self.steps[1..=options.horizon.min(self.steps.len() - 1)];
        let next = ahead.iter().zip(1usize..).map(|(step, ahead)| {
            let set = self.sets.get(ahead).map(|&set| ("set", set.into()));
            let apart = self.disagreement_nats.get(ahead);
            let apart = apart.map(|&nats| ("disagreement", rounded(nats)));
            let fields = [
                ("ahead", ahead.into()),
                ("top", top(step, themes, options.top)),
                ("entropy", rounded(entropy_nats(step))),
            ];
            Value::map(fields.into_iter().chain(set).chain(apart))
        });
        let chains: Vec<Value> = self.chains.iter().map(|one| chain(one, themes)).collect();
        let mut fields = vec![
            ("token", self.token.into()),
            ("segment", self.segment.into()),
            ("now", top(&self.steps[0], themes, options.top)),
            ("next", next.collect::<Vec<_>>().into()),
            ("chains", chains.into()),
        ];
        fields.extend(self.watched(card, options).map(|watched| ("watch", watched)));
        fields.push(("divergence", self.divergence.value()));
        fields.push(("trust", self.trust.value()));
        fields
    }

    /// The phrases that are watched for; none where none are.
    fn watched(&self, card: &Card, options: &Options) -> Option<Value> {
        let within = card.open.as_ref().filter(|_| !self.watch.is_empty())?.horizons;
        let phrase = |(phrase, chance): (&String, &Chance)| {
            let apart = chance.disagreement_nats.map(|nats| ("disagreement", rounded(nats)));
            let fields = [
                ("theme", phrase.as_str().into()),
                ("p", rounded(chance.p)),
                ("within", within.into()),
            ];
            Value::map(fields.into_iter().chain(apart))
        };
        Some(options.watch.iter().zip(&self.watch).map(phrase).collect::<Vec<_>>().into())
    }
}

impl Trust {
    fn value(self) -> Value {
        Value::map([
            ("in_distribution", rounded(self.in_distribution)),
            ("out_of_distribution", self.out.into()),
            // Every token's forecast is made from its own residual, or there is none.
            ("stale_tokens", 0usize.into()),
        ])
    }
}

impl Divergence {
    /// An alarm that is not held back.
    pub(crate) fn raise(&mut self, detector: Detector, watch: Option<&str>) {
        self.alarm |= detector == Detector::Martingale;
        let name = detector.name();
        let shown = watch.map_or_else(|| name.to_owned(), |watch| format!("{name}: {watch}"));
        if !self.raised.contains(&shown) {
            self.raised.push(shown);
        }
    }

    /// The alarms so far; none where there are none.
    pub(crate) fn raised(&self) -> Option<(&'static str, Value)> {
        let names = || self.raised.iter().map(|name| name.as_str().into()).collect::<Vec<_>>();
        (!self.raised.is_empty()).then(|| ("alarms", names().into()))
    }

    fn value(&self) -> Value {
        let fields = [
            ("surprise", rounded(self.surprise_nats)),
            ("excess", rounded(self.excess_nats)),
            ("shift", rounded(self.shift)),
            ("score", rounded(self.score)),
            ("alarm", self.alarm.into()),
        ];
        Value::map(fields.into_iter().chain(self.raised()))
    }
}

/// The most probable themes, the first first.
fn top(p: &[f32], themes: &[Theme], most: usize) -> Value {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|&a, &b| p[b].total_cmp(&p[a]));
    let entry = |&theme: &usize| {
        Value::map([("theme", themes[theme].id.as_str().into()), ("p", rounded(p[theme]))])
    };
    order.iter().take(most).map(entry).collect::<Vec<_>>().into()
}

fn chain(chain: &Chain, themes: &[Theme]) -> Value {
    let names = chain.themes.iter().map(|&theme| themes[theme].id.as_str().into());
    Value::map([("themes", names.collect::<Vec<_>>().into()), ("p", rounded(chain.p))])
}

/// A number with four decimals, more would be noise on the wire; never −0.
pub(crate) fn rounded(number: f32) -> Value {
    Value::Float((f64::from(number) * 1e4).round() / 1e4 + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_decimals_and_zero_has_no_sign() {
        let shown = |number: f32| serde_json::to_string(&rounded(number)).unwrap();
        assert_eq!(shown(0.123_46), "0.1235");
        assert_eq!(shown(-0.000_01), "0.0");
        assert_eq!(shown(entropy_nats(&[1.0, 0.0])), "0.0");
    }
}
