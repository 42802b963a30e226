//! The open vocabulary: how likely a segment like a phrase given at run time is to come.
//!
//! A ridge regression, trained by the lab, forecasts the sentence embedding of the segments to
//! come; `head` is that regression in low rank, `watch` scores phrases with it and turns scores
//! into probabilities, `tensors` is how it lies in a bundle's weights. Embeddings have length 1,
//! so the forecast embedding times a phrase's is the cosine to expect.
//!
//! The encoder is not here: see [`Embed`](crate::text::Embed). Nothing here trains.

mod head;
mod tensors;
mod watch;

pub use head::{Background, Calibration, Expansion, OpenCard, OpenHead, OpenSet, features};
pub(crate) use tensors::{read, tensors, write};
pub use watch::{Chance, INPUTS, Phrase, Score, Watch, inputs, probability};
