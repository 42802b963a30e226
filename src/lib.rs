//! Themecast forecasts where a language model's answer is going, while it is being written.
//!
//! In the order in which a token meets them: [`host`] runs the model and reads its residual
//! stream, [`session`] runs a plugin beside each request, [`forecast`] attaches the plugin that
//! forecasts themes, [`serve`] sends tokens and annotations over OpenAI's API, [`metrics`] counts.
//! Offline, [`collect`] makes collections for the `themecast-lab` crate and [`mod@bench`] measures.

pub mod bench;
pub mod cli;
pub mod collect;
pub mod forecast;
pub mod host;
pub mod metrics;
pub mod serve;
pub mod session;
