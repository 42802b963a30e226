//! Where models come from and where they are kept.
//!
//! `catalogue` names the known assets as data, `home` is the cache they live in, `pip` and `hub`
//! are the two sources, `verify` checks what came, `requantise` makes the fast form of the default
//! model, and `fetch` puts it all together. What a model is used for never lives here.

mod catalogue;
mod error;
mod fetch;
mod home;
mod hub;
mod pip;
mod progress;
mod requantise;
mod verify;

pub use error::AssetError;
pub use fetch::{Paths, default_model, embedder, fetch_default, named};
pub use home::home;
pub use progress::{Bars, Lines, Progress};
