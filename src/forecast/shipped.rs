//! The bundle that is shipped for the default model, inside the program itself.

use themecast_forecast::bundle::{Bundle, BundleError};

/// The shipped bundle.
///
/// # Errors
/// [`BundleError`] when what was built in can't be read, which a test rules out.
pub fn bundle() -> Result<Bundle, BundleError> {
    Err(BundleError::Card("no bundle yet".into()))
}
