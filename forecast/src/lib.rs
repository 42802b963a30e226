//! From residuals to annotations: everything of a forecast that is neither an engine nor HTTP.
//!
//! Pure Rust on the CPU: no tensor library, no runtime, no mistral.rs. What comes in are the
//! residuals of one token after the other ([`themecast_plugin_api::Step`]), what goes out are
//! annotations and typed events. In the order in which a token meets the modules:
//!
//! ```text
//!   Step: text of the token that was read last, residuals at the bundle's sites
//!     │
//!     ├─ text ────▶ segment     has the segment ended?  (never looks at the next token)
//!     └─ residuals ─┬▶ trust    is the prompt like those of training?
//!                   └▶ features row: residual, means of segment and answer, themes so far, position
//!                      │        (and the text that was read, in bundles that read it)
//!              ┌───────┴────────┬──────────────┐
//!              ▼                ▼              ▼
//!            linear           chain          open    a softmax regression for each kind of row and
//!              └───────┬────────┘              │     offset; a small transformer; phrases
//!                      ▼                       │
//!                   predict ◀─ smooth          │     mixed, averaged over tokens, tempered:
//!                      │                       │     this segment, the next, … the horizon
//!        ┌─────────────┼──────────────┐        │
//!        ▼             ▼              ▼        ▼
//!      chains      divergence     conformal  watchlist   joint chains; surprise, shift, drift; sets;
//!        └─────────────┼──────────────┴────────┘         what must not come
//!                      ▼
//!                  annotation ──▶ the host, beside the token          events ──▶ whoever counts
//!                      ▼
//!                   summary   ──▶ the host, at the answer's end
//! ```
//!
//! [`bundle`] holds what was trained, [`ensemble`] tells how much of it was left open;
//! [`ForecastPlugin`] is all of it as a plugin. [`segment`],
//! [`features`] and [`linear`] are also what collecting, training and evaluating use, so that
//! they see what serving sees.
//!
//! # Which head speaks of which segment
//!
//! Heads are trained relative to `s`, the segment of the token that was *read* last: offset 0 is
//! the theme of `s`, offset `i` that of `s + i`. An annotation goes out with the token that is
//! about to be *written*, and speaks of that token's segment. So there is a shift at boundaries:
//!
//! | last token read | its row | `now` | `next`, `ahead = i` |
//! |---|---|---|---|
//! | the prompt's last | boundary | offset 1 | offset 1 + i |
//! | the last of its segment | boundary | offset 1 | offset 1 + i |
//! | any other | mid | offset 0 | offset i |
//!
//! A bundle with `H` horizons therefore has offsets 0 to `H + 1`. Offset 0 of the boundary set
//! decides which theme *came* when a segment ends, before the segment enters the history; if an
//! answer ends within a segment, offset 0 of the mid set does.
//!
//! # Use
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use themecast_forecast::{ForecastPlugin, bundle::Bundle, events::Silent};
//! use themecast_plugin_api::Plugin;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bundle = Bundle::load(Path::new("my-bundle"))?;
//! let plugin: Box<dyn Plugin> = Box::new(ForecastPlugin::new(Arc::new(bundle), Arc::new(Silent)));
//! # let _ = plugin;
//! # Ok(())
//! # }
//! ```

mod annotation;
pub mod bundle;
pub mod chain;
pub mod chains;
pub mod conformal;
mod dense;
pub mod divergence;
pub mod ensemble;
pub mod events;
pub mod features;
pub mod linear;
pub mod open;
mod options;
mod plugin;
pub mod predict;
pub mod segment;
mod session;
pub mod smooth;
mod summary;
pub mod text;
pub mod trust;
pub mod watchlist;

pub use plugin::ForecastPlugin;
