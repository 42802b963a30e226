//! Chains as they are served: whether the likeliest ones come as often as is told, at every token
//! of the test split, as they follow each other and as products of the same distributions.
//!
//! What is judged is what an annotation shows, unlike the joint loss of what came ([`super::joint`]),
//! which also asks for chains that nobody is shown. Only places from which the answer goes on to the
//! end of the horizon count.

use super::{
    bootstrap::{Draws, Mean},
    calibration::{Told, calibration_error, error_by_chance},
    events::{Place, Story, clusters},
    more_reports::ServedChainsReport,
};
use crate::replay::{Moment, target};
use std::collections::HashMap;
use themecast_forecast::{
    bundle::Bundle,
    chains::{Chain, Course},
    linear::RowKind,
    predict::Foresight,
};

/// How many chains are shown where a client does not say.
const SHOWN: usize = 3;

/// What was shown at one place, two ways.
#[derive(Debug, Clone)]
pub(super) struct ServedChainsCase {
    document: String,
    /// The segment of the last token read.
    segment: i32,
    place: Place,
    served: Shown,
    product: Shown,
}

/// The chains of one annotation and what became of them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shown {
    /// The probability of the first one, and whether it came.
    first: (f32, bool),
    /// The sum of all, and whether one of them came.
    any: (f32, bool),
}

impl Shown {
    fn new(all: &[Chain], came: &[usize]) -> Option<Self> {
        let is = |chain: &Chain| chain.themes == came;
        let first = all.first()?;
        let sum = all.iter().map(|chain| chain.p).sum::<f32>();
        Some(Self { first: (first.p, is(first)), any: (sum.min(1.0), all.iter().any(is)) })
    }
}

/// Takes what is shown at `moment` of the document `id`, at `place` of its answer.
pub(super) fn take(
    (bundle, foresight): (&Bundle, &Foresight),
    (moment, place): (&Moment<'_>, Place),
    (id, chain): (&str, &[u32]),
    into: &mut Vec<ServedChainsCase>,
) {
    let horizon = foresight.steps.len() - 1;
    // At a boundary the segment being written is the one that begins.
    let first = 1 + usize::from(moment.kind == RowKind::Boundary);
    let came: Vec<usize> = (first..first + horizon)
        .map_while(|offset| target(chain, moment.segment, offset))
        .map(|theme| theme as usize)
        .collect();
    if came.len() < horizon {
        return;
    }
    let course = foresight.course(bundle);
    let product = Course { chain: None, link: None, ..course };
    let ways = [course, product].map(|course| course.chains(horizon, SHOWN));
    let [Some(served), Some(product)] = ways.map(|all| Shown::new(&all, &came)) else { return };
    let (document, segment) = (id.to_owned(), moment.segment);
    into.push(ServedChainsCase { document, segment, place, served, product });
}

/// Both ways, place by place.
pub(super) fn reports(
    cases: &[ServedChainsCase],
    stories: &[Story],
    (resamples, seed): (usize, u64),
) -> Vec<ServedChainsReport> {
    let (_, count) = clusters(stories);
    let draws = Draws::new(count, resamples, seed);
    let numbers: HashMap<&str, usize> =
        stories.iter().enumerate().map(|(number, story)| (story.id.as_str(), number)).collect();
    let at = |place: Place| {
        let chosen: Vec<Chosen<'_>> = cases
            .iter()
            .filter(|case| case.place == place)
            .filter_map(|case| {
                let story = *numbers.get(case.document.as_str())?;
                Some(Chosen { story, prompt: stories[story].cluster, case })
            })
            .collect();
        let of = |way: &str, shown: fn(&ServedChainsCase) -> Shown| {
            report(place, way, &chosen, (shown, &draws))
        };
        [of("served", |case| case.served), of("product", |case| case.product)]
    };
    [Place::PromptEnd, Place::Boundary, Place::Within(0)]
        .map(at)
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}

/// A case with the numbers of its document and its prompt.
struct Chosen<'a> {
    story: usize,
    prompt: usize,
    case: &'a ServedChainsCase,
}

fn report(
    place: Place,
    way: &str,
    cases: &[Chosen<'_>],
    (shown, draws): (fn(&ServedChainsCase) -> Shown, &Draws),
) -> Option<ServedChainsReport> {
    let mean = |of: &dyn Fn(&ServedChainsCase) -> f64| -> Option<Mean> {
        draws.mean(cases.iter().map(|one| (one.prompt, of(one.case))))
    };
    let share = |one: bool| f64::from(u8::from(one));
    let told = |which: fn(Shown) -> (f32, bool)| -> Vec<Told> {
        let told = |one: &Chosen<'_>| {
            let (p, came) = which(shown(one.case));
            Told { p, came, outcome: (one.story, one.case.segment) }
        };
        cases.iter().map(told).collect()
    };
    let (first, any) = (told(|shown| shown.first), told(|shown| shown.any));
    Some(ServedChainsReport {
        place: match place {
            Place::Within(_) => "within segments".to_owned(),
            other => other.name(),
        },
        way: way.to_owned(),
        cases: cases.len(),
        first_p: mean(&|case| f64::from(shown(case).first.0))?.mean,
        first_came: mean(&|case| share(shown(case).first.1))?,
        first_ece: calibration_error(&first),
        first_ece_by_chance: error_by_chance(&first).mean,
        any_p: mean(&|case| f64::from(shown(case).any.0))?.mean,
        any_came: mean(&|case| share(shown(case).any.1))?,
        any_ece: calibration_error(&any),
        served_minus: mean(&|case| share(case.served.any.1) - share(shown(case).any.1))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(themes: &[usize], p: f32) -> Chain {
        Chain { themes: themes.to_vec(), p }
    }

    #[test]
    fn a_chain_comes_whole_or_not() {
        let all = [chain(&[0, 1], 0.5), chain(&[1, 1], 0.25)];
        let shown = |came: &[usize]| Shown::new(&all, came).unwrap();
        assert_eq!(shown(&[0, 1]), Shown { first: (0.5, true), any: (0.75, true) });
        assert_eq!(shown(&[1, 1]), Shown { first: (0.5, false), any: (0.75, true) });
        assert_eq!(shown(&[0, 0]), Shown { first: (0.5, false), any: (0.75, false) });
        assert_eq!(Shown::new(&[], &[0]), None);
    }

    #[test]
    fn what_is_told_stands_beside_what_came_place_by_place() {
        let story = |number: usize| Story {
            id: format!("d{number}"),
            cluster: number,
            group: String::new(),
            prompt: String::new(),
            prompt_end: Vec::new(),
            segments: Vec::new(),
        };
        let stories: Vec<Story> = (0..20).map(story).collect();
        let told = |p: f32, came: bool| Shown { first: (p, came), any: (p, came) };
        let case = |number: usize| ServedChainsCase {
            document: format!("d{number}"),
            segment: 0,
            place: Place::Within(0),
            served: told(0.5, number.is_multiple_of(2)),
            product: told(0.5, false),
        };
        let cases: Vec<ServedChainsCase> = (0..20).map(case).collect();
        let [ours, product] = &reports(&cases, &stories, (200, 1))[..] else { panic!() };
        assert_eq!((ours.place.as_str(), ours.cases, ours.first_p), ("within segments", 20, 0.5));
        assert_eq!((ours.first_came.mean, product.first_came.mean), (0.5, 0.0));
        assert_eq!(ours.served_minus.mean, 0.0);
        assert!(product.served_minus.interval.excludes_zero() && product.served_minus.mean == 0.5);
    }
}
