//! The bundles that are shipped, inside the program itself.

use anyhow::{Result, anyhow};
use themecast_forecast::bundle::{Bundle, BundleError};
use themecast_plugin_api::ModelInfo;

/// A bundle's card and weights.
type Files = (&'static [u8], &'static [u8]);

macro_rules! bundle {
    ($folder:literal) => {
        (
            include_bytes!(concat!("../../bundles/", $folder, "/card.json")),
            include_bytes!(concat!("../../bundles/", $folder, "/weights.safetensors")),
        )
    };
}

/// One bundle a model, the default model's first.
const SHIPPED: [Files; 2] =
    [bundle!("smollm2-135m-instruct/chain"), bundle!("qwen2.5-coder-1.5b-instruct/linear")];

/// The bundle that is shipped for the default model.
///
/// # Errors
/// [`BundleError`] when what was built in can't be read, which a test rules out.
pub fn bundle() -> Result<Bundle, BundleError> {
    let (card, weights) = SHIPPED[0];
    Bundle::parse(card, weights)
}

/// The bundle that is shipped for `model`.
///
/// # Errors
/// Where there is none, what is different from the default model.
pub fn of(model: &ModelInfo) -> Result<Bundle> {
    let mut why = None;
    for (card, weights) in SHIPPED {
        let bundle = Bundle::parse(card, weights)?;
        match bundle.fits(model) {
            Ok(_) => return Ok(bundle),
            Err(error) => why = why.or(Some(error)),
        }
    }
    let why = why.map_or_else(String::new, |error| error.to_string());
    Err(anyhow!("no bundle is shipped for this model ({why}); give --bundle, or --no-forecast"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_bundle_is_the_one_of_its_model_and_holds_its_evaluation() {
        for (card, weights) in SHIPPED {
            let shipped = Bundle::parse(card, weights).unwrap();
            assert_eq!(of(&shipped.card.model).unwrap().card.model, shipped.card.model);
            assert!(shipped.card.evaluation.get("test").is_some());
        }
        let other = ModelInfo { layers: 7, ..bundle().unwrap().card.model };
        let error = of(&other).unwrap_err().to_string();
        assert!(error.contains("layers") && error.contains("--bundle"), "{error}");
    }
}
