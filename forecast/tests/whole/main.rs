//! Tests of the crate through its public face: a made-up bundle, saved, loaded and used.

// Whatever a test can't go on without ends it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bundle;
mod comes;
mod ensemble;
mod made_up;
mod open;
mod recomputed;
mod session;
mod speed;
mod trust;
