//! How far an answer has left the path that was forecast.
//!
//! `surprise` says how surprising a segment was; `martingale` and `control` add that up along an
//! answer and raise alarms; `coherence` does the same for the residuals; `monitor` runs all of
//! them. A forecast that is honestly open surprises nobody: it is the *excess* over its own entropy
//! that counts. What is done about an alarm never lives here.

mod coherence;
mod control;
mod martingale;
mod monitor;
mod surprise;

pub(crate) use coherence::PLACES;
pub use coherence::{Coherence, CoherenceCard};
pub use control::{ControlCard, Cusum, PageHinkley};
pub use martingale::{ALPHA, Martingale, odds};
pub use monitor::{DetectorCard, Monitor, Segment};
pub use surprise::{Pending, Surprise, entropy_nats, jensen_shannon, surprise_nats, surprises};
