//! What moved: themes, where along the answer, what follows what, in which groups.

use super::{
    Apart, ShiftConfig,
    answers::{Answers, Chain},
    counts::{self, Counts},
    passages,
    report::{GroupShift, PlaceShift, ShiftReport, SideReport, ThemeShift, TransitionShift},
};
use crate::eval::{Mean, bootstrap::Draws};
use std::collections::BTreeMap;

/// Fewer prompts of a group than this are not judged apart.
const GROUP_LEAST: usize = 8;

/// A pair of themes that came fewer times on both sides together says nothing.
const PAIR_LEAST: u32 = 5;

/// What is counted of a chain.
type Of = fn(&[u32]) -> Vec<usize>;

const PLACES: [(&str, Of); 5] = [
    ("first segment", |chain| all(&chain[..chain.len().min(1)])),
    ("second", |chain| all(chain.get(1..2).unwrap_or_default())),
    ("third", |chain| all(chain.get(2..3).unwrap_or_default())),
    ("those after it", |chain| all(chain.get(3..).unwrap_or_default())),
    ("last", |chain| all(&chain[chain.len().saturating_sub(1)..])),
];

fn all(themes: &[u32]) -> Vec<usize> {
    themes.iter().map(|&theme| theme as usize).collect()
}

/// Judges `answers` with the resamples and the seed of `config`.
pub(super) fn judge(answers: &Answers, config: &ShiftConfig) -> ShiftReport {
    let draws = Draws::new(answers.groups.len(), config.resamples, config.seed);
    let comparison = Comparison { answers, config, draws };
    let counts = Counts::new(answers, answers.themes.len(), all);
    let themes = comparison.themes(&counts);
    ShiftReport {
        sides: [0, 1].map(|side| comparison.side(side)),
        prompts: answers.groups.len(),
        left_out: answers.left_out,
        resamples: config.resamples,
        apart: comparison.apart(&counts),
        more_segments: comparison.more(|chain| chain.themes.len()),
        more_tokens: comparison.more(|chain| chain.tokens),
        passages: passages::of(answers, &themes),
        themes,
        places: comparison.places(),
        transitions: comparison.transitions(),
        groups: comparison.groups(&counts),
    }
}

struct Comparison<'a> {
    answers: &'a Answers,
    config: &'a ShiftConfig,
    draws: Draws,
}

impl Comparison<'_> {
    fn apart(&self, counts: &Counts) -> Option<Apart> {
        Apart::measure(counts, self.config.resamples, self.config.seed)
    }

    fn side(&self, side: usize) -> SideReport {
        let answered = &self.answers.sides[side];
        let chains = &answered.chains;
        let mean = |of: fn(&Chain) -> usize| {
            chains.iter().map(|chain| of(chain) as f64).sum::<f64>() / chains.len().max(1) as f64
        };
        SideReport {
            name: self.config.sides[side].name.clone(),
            model: answered.info.model_name.clone(),
            intervention: answered.info.intervention.clone(),
            answers: answered.documents,
            looping: answered.looping,
            max_tokens: answered.info.max_tokens,
            temperature: answered.info.temperature,
            segments: mean(|chain| chain.themes.len()),
            tokens: mean(|chain| chain.tokens),
        }
    }

    /// How much more of something the second side's answers have in the mean.
    fn more(&self, of: fn(&Chain) -> usize) -> Option<Mean> {
        let sides = self.answers.sides.iter().enumerate();
        let parts = sides.flat_map(|(side, answered)| {
            answered.chains.iter().map(move |chain| (chain.prompt, side, of(chain) as f64, 1.0))
        });
        counts::difference(parts, &self.draws)
    }

    fn id(&self, theme: usize) -> String {
        self.answers.themes[theme].id.clone()
    }

    /// Every theme that came, the one that moved most first.
    fn themes(&self, counts: &Counts) -> Vec<ThemeShift> {
        let moved = self.moved(counts, 1);
        let shift =
            |(theme, shares, difference)| ThemeShift { theme: self.id(theme), shares, difference };
        moved.into_iter().map(shift).collect()
    }

    /// The kinds that came `least` times or more, the one that moved most first.
    fn moved(&self, counts: &Counts, least: u32) -> Vec<(usize, [f32; 2], Mean)> {
        let Some([a, b]) = counts.shares() else { return Vec::new() };
        let came = (0..counts.kinds()).filter(|&kind| counts.came(kind) >= least);
        let with = came.filter_map(|kind| {
            let difference = counts.difference(kind, &self.draws)?;
            Some((kind, [a[kind], b[kind]], difference))
        });
        let mut found: Vec<_> = with.collect();
        found.sort_by(|x, y| y.2.mean.abs().total_cmp(&x.2.mean.abs()));
        found
    }

    fn places(&self) -> Vec<PlaceShift> {
        let shift = |(place, of): (&str, Of)| {
            let counts = Counts::new(self.answers, self.answers.themes.len(), of);
            let (theme, difference) = counts.most_moved()?;
            Some(PlaceShift {
                place: place.to_owned(),
                segments: counts.totals(),
                apart: self.apart(&counts)?,
                theme: self.id(theme),
                difference,
            })
        };
        PLACES.into_iter().filter_map(shift).collect()
    }

    /// Which theme follows which: every pair that came often enough.
    fn transitions(&self) -> Vec<TransitionShift> {
        let themes = self.answers.themes.len();
        let pairs = |chain: &[u32]| {
            chain.windows(2).map(|pair| pair[0] as usize * themes + pair[1] as usize).collect()
        };
        let counts = Counts::new(self.answers, themes * themes, pairs);
        let moved = self.moved(&counts, PAIR_LEAST);
        let shift = |(kind, shares, difference)| TransitionShift {
            from: self.id(kind / themes),
            to: self.id(kind % themes),
            shares,
            difference,
        };
        moved.into_iter().map(shift).collect()
    }

    fn groups(&self, counts: &Counts) -> Vec<GroupShift> {
        let groups = &self.answers.groups;
        let mut prompts: BTreeMap<&str, usize> = BTreeMap::new();
        groups.iter().flatten().for_each(|name| *prompts.entry(name).or_default() += 1);
        let shift = |(name, prompts): (&str, usize)| {
            let counts = counts.only(|place| groups[place].as_deref() == Some(name));
            let (theme, difference) = counts.most_moved()?;
            Some(GroupShift {
                group: name.to_owned(),
                prompts,
                apart: self.apart(&counts)?,
                theme: self.id(theme),
                difference,
            })
        };
        let enough = prompts.into_iter().filter(|(_, prompts)| *prompts >= GROUP_LEAST);
        enough.filter_map(shift).collect()
    }
}
