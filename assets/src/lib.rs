//! Where models come from and where they are kept.
//!
//! `catalogue` names the known assets as data, `home` is the folder they live in, `pip` and `hub`
//! are the two sources, `staging` is where a file is put together, `verify` checks what came,
//! `requantise` makes the fast form of the default model, `cache` does all that in order, and
//! `fetch` is what others call. What a model is used for never lives here.

mod cache;
mod catalogue;
mod error;
mod fetch;
mod home;
mod hub;
mod pip;
mod progress;
mod requantise;
mod source;
mod staging;
#[cfg(test)]
mod tests;
mod verify;

pub use error::AssetError;
pub use fetch::{Paths, default_model, embedder, fetch_default, fetch_named, is_known, named};
pub use home::home;
pub use progress::{Bars, Lines, Progress, to_stderr};
