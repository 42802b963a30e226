//! The bundle that is shipped for the default model, inside the program itself.

use themecast_forecast::bundle::{Bundle, BundleError};

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../bundles/smollm2-135m-instruct/chain/", $name))
    };
}

/// The shipped bundle.
///
/// # Errors
/// [`BundleError`] when what was built in can't be read, which a test rules out.
pub fn bundle() -> Result<Bundle, BundleError> {
    Bundle::parse(file!("card.json"), file!("weights.safetensors"))
}
