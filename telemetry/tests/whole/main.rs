//! Tests of the crate through its public face, with a real receiver of OTLP on a port of this
//! machine.

// Whatever a test can't go on without ends it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod config;
mod evaluation;
mod foreign;
mod parents;
mod pressure;
mod receiver;
mod sampling;
mod spans;
mod traced;
