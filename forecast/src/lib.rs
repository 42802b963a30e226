//! From residuals to annotations: everything of a forecast that is neither an engine nor HTTP.
//!
//! In the order in which a token meets them: [`segment`] cuts the answer, [`features`] turns
//! residuals into a row, [`linear`] makes distributions of it, [`chains`] joins them,
//! [`divergence`] and [`trust`] judge them, the annotation goes out and [`events`] tells whoever
//! counts. [`bundle`] holds what was trained; [`ForecastPlugin`] is all of it as a plugin. The
//! first three are also what training and evaluation use, so that they see what serving sees.

mod annotation;
pub mod bundle;
pub mod chains;
pub mod divergence;
pub mod events;
pub mod features;
pub mod linear;
mod options;
mod plugin;
pub mod segment;
mod session;
mod summary;
pub mod trust;

pub use plugin::ForecastPlugin;
