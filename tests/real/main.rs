//! Tests on the real model: one binary, so that it is linked and the model loaded once.
//!
//! `world` holds what they share; every other module tests one part of the product.

// Whatever a test can't go on without ends it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alarms;
mod alignment;
mod architectures;
mod browsers;
mod chat;
mod cli;
mod compare;
mod forecast;
mod isolation;
mod keys;
mod others;
mod plugins;
mod server;
mod steering;
mod tap;
mod tokens;
mod traces;
mod world;
