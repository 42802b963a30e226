//! How the head lies in a bundle's weights: tensors named `open.*`, matrices in half precision.

use super::{Background, Expansion, INPUTS, OpenCard, OpenHead, OpenSet};
use crate::{
    bundle::{
        BundleError,
        tensors::{Tensor, full, halves, to_full, to_halves},
    },
    ensemble::{MOST_MEMBERS, may_have},
};
use safetensors::SafeTensors;

/// How the names of the head's tensors start.
const PREFIX: &str = "open.";

/// How many tensors the head that `card` describes has.
pub(crate) fn tensors(card: &OpenCard) -> usize {
    // Of each set scaling, project and, with each member's, expand and bias; of the background two.
    2 * (2 + 2 * (1 + card.ensemble)) + 2
}

/// Reads the head that `card` describes, for rows of `features` features.
///
/// # Errors
/// [`BundleError::Value`] where the card's numbers can't be, [`BundleError::Tensor`] for the first
/// tensor that does not fit.
pub(crate) fn read(
    tensors: &SafeTensors<'_>,
    card: &OpenCard,
    features: usize,
) -> Result<OpenHead, BundleError> {
    check(card)?;
    let (rank, dimension, horizons) = (card.rank, card.dimension, card.horizons);
    let set = |set: &str| {
        let name = |part: &str| format!("{PREFIX}{set}.{part}");
        let expansion = |of: String| {
            Ok::<_, BundleError>(Expansion {
                expand: halves(
                    tensors,
                    name(&format!("{of}expand")),
                    &[horizons, dimension, rank],
                )?,
                bias: full(tensors, name(&format!("{of}bias")), &[horizons, dimension])?,
            })
        };
        Ok::<_, BundleError>(OpenSet {
            scaling: full(tensors, name("scaling"), &[2, features])?,
            project: halves(tensors, name("project"), &[rank, features])?,
            whole: expansion(String::new())?,
            ensemble: (0..card.ensemble)
                .map(|at| expansion(member(at)))
                .collect::<Result<_, _>>()?,
        })
    };
    let segments = Background {
        mean: full(tensors, format!("{PREFIX}segments.mean"), &[dimension])?,
        factor: halves(
            tensors,
            format!("{PREFIX}segments.factor"),
            &[card.background_rank, dimension],
        )?,
    };
    Ok(OpenHead { card: card.clone(), boundary: set("boundary")?, mid: set("mid")?, segments })
}

/// The tensors of `head`.
pub(crate) fn write(head: &OpenHead) -> Vec<Tensor> {
    let card = &head.card;
    let mut out = Vec::new();
    for (set, values) in [("boundary", &head.boundary), ("mid", &head.mid)] {
        let name = |part: &str| format!("{PREFIX}{set}.{part}");
        let features = values.scaling.len() / 2;
        out.push(to_full(name("scaling"), vec![2, features], &values.scaling));
        out.push(to_halves(name("project"), vec![card.rank, features], &values.project));
        let whole = [(String::new(), &values.whole)].into_iter();
        for (of, one) in whole.chain((0..).map(member).zip(&values.ensemble)) {
            let expand = vec![card.horizons, card.dimension, card.rank];
            let bias = vec![card.horizons, card.dimension];
            out.push(to_halves(name(&format!("{of}expand")), expand, &one.expand));
            out.push(to_full(name(&format!("{of}bias")), bias, &one.bias));
        }
    }
    let name = |part: &str| format!("{PREFIX}segments.{part}");
    let (mean, factor) = (&head.segments.mean, &head.segments.factor);
    out.push(to_full(name("mean"), vec![card.dimension], mean));
    out.push(to_halves(name("factor"), vec![card.background_rank, card.dimension], factor));
    out
}

/// How the names of a member of the ensemble start.
fn member(at: usize) -> String {
    format!("{at}.")
}

fn check(card: &OpenCard) -> Result<(), BundleError> {
    let wrong = |message: String| Err(BundleError::Value(format!("open: {message}")));
    let (rank, dimension, horizons) = (card.rank, card.dimension, card.horizons);
    let members = card.ensemble;
    if !may_have(members) {
        let message = format!("{members} members of an ensemble: want none or 2 to {MOST_MEMBERS}");
        return wrong(message);
    }
    if rank == 0 || dimension == 0 || !(1..=16).contains(&horizons) {
        return wrong(format!("rank {rank}, dimension {dimension}, {horizons} horizons"));
    }
    for weights in [&card.calibration.boundary, &card.calibration.mid] {
        if weights.len() != 1 + INPUTS || !weights.iter().all(|weight| weight.is_finite()) {
            return wrong(format!("a calibration is not {} finite numbers", 1 + INPUTS));
        }
    }
    Ok(())
}
