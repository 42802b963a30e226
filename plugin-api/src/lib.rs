//! What an activation plugin implements, and nothing more.
//!
//! A [`Plugin`] is asked once which [`Site`]s of a model it wants ([`Plugin::interest`]), opens a
//! [`Session`] for every request, is given each step's residuals as borrowed slices and may
//! return an [`Annotation`] that the host sends beside the token. Nothing here knows HTTP, an
//! engine or a tensor library, and nothing here ever will: std and serde only.
//!
//! ```
//! use themecast_plugin_api::{
//!     Annotation, Interest, ModelInfo, Plugin, PluginError, RequestInfo, Session, Site, Step,
//! };
//!
//! struct Norm;
//! struct NormSession;
//!
//! impl Plugin for Norm {
//!     fn name(&self) -> &str {
//!         "norm"
//!     }
//!     fn interest(&self, _model: &ModelInfo) -> Result<Interest, PluginError> {
//!         Ok(Interest::last(vec![Site::Final]))
//!     }
//!     fn open(&self, _request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
//!         Ok(Box::new(NormSession))
//!     }
//! }
//!
//! impl Session for NormSession {
//!     fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
//!         let norm = step.residuals.last(0).iter().map(|x| x * x).sum::<f32>().sqrt();
//!         Ok(Some(Annotation::new([("norm", norm.into())])))
//!     }
//! }
//! ```

mod annotation;
mod error;
mod model;
mod plugin;
mod step;

pub use annotation::{Annotation, Value};
pub use error::PluginError;
pub use model::{ModelInfo, ParseSiteError, Site};
pub use plugin::{Interest, Plugin, Positions, RequestInfo, Session};
pub use step::{End, EndReason, Phase, Residuals, Step};
