//! Tests of the crate through its public face, with a real receiver on a port of this machine.

// Whatever a test can't go on without ends it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alarms;
mod config;
mod counts;
mod delivery;
mod log;
mod policy;
mod pressure;
mod receiver;
