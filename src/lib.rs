//! Themecast forecasts where a language model's answer is going, while it is being written.

pub mod host;
pub mod metrics;
pub mod session;
