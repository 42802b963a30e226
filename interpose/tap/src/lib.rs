//! Reads the residual stream of mistral.rs's forward passes, one request's row at a time.
//!
//! The way of one step, in the order of the modules:
//!
//! 1. [`Discovery`] listens to one forward pass of a freshly loaded model and resolves its norms
//!    into named sites ([`SiteMap`]), or says why they do not map.
//! 2. An [`EngineTap`] belongs to one loaded model. A [`Lease`] says that a request wants some of
//!    its sites; without a lease nothing is kept, and in a process without leases a norm costs
//!    one relaxed atomic load.
//! 3. During a forward pass the watcher keeps what is leased as a [`Frame`] of the engine's thread.
//! 4. While a row is sampled, [`current`] names that row, on the engine's own thread or in the
//!    sampling pool, and [`Row::copy`] copies its residuals out.
//!
//! A lease may also add a direction to the residual stream while its request is decoded
//! ([`Lease::steer`]); nothing else here changes what a model computes.
//!
//! Nothing here knows mistral.rs, a plugin or a theme, and nothing here ever will.

mod discover;
mod engine;
mod frame;
mod sites;
mod steering;
mod watch;

pub use discover::Discovery;
pub use engine::{EngineTap, Lease};
pub use frame::{Frame, Row, TapError};
pub use sites::{SiteError, SiteMap};
pub use themecast_plugin_api::{ModelInfo, Site};
pub use watch::{current, live_leases};
