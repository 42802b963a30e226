//! A bundle: a folder of `card.json` and `weights.safetensors`, data only.
//!
//! `card` is what a bundle says of itself, `check` holds that against itself, `store` reads and
//! writes the folder and checks that the weights fit, by `heads` and `tensors`. How a bundle is
//! trained never lives here.

mod card;
mod check;
mod heads;
mod places;
mod store;
pub(crate) mod tensors;

pub use card::{
    Calibration, Card, Conformal, FORMAT, Fit, MOST_HORIZONS, Reference, Temperatures, Theme,
};
pub use check::is_kebab_case;
pub use places::{ByPlace, Place};
pub use store::BundleError;

use crate::{
    chain::ChainModel, chains::Link, features::FeatureLayout, linear::LinearPredictor,
    open::OpenHead, trust::Recogniser,
};
use themecast_plugin_api::Site;

/// A predictor with everything that it needs to be used and judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// What the bundle says of itself.
    pub card: Card,
    /// The linear heads.
    pub predictor: LinearPredictor,
    /// The same heads fitted again on parts of the training prompts, where they were.
    pub ensemble: Vec<LinearPredictor>,
    /// The chain predictor, where there is one.
    pub chain: Option<ChainModel>,
    /// What links the segments of a chain, where anything does.
    pub link: Option<Link>,
    /// The open-vocabulary head, where there is one.
    pub open: Option<OpenHead>,
    /// What recognises prompts unlike those of training, where there is one.
    pub trust: Option<Recogniser>,
}

impl Bundle {
    /// The layout of the predictor's features.
    pub fn layout(&self) -> FeatureLayout {
        self.card.layout()
    }

    /// Where residuals are read: the features' sites, then the recogniser's if it is another.
    pub fn sites(&self) -> Vec<Site> {
        let mut sites = self.card.sites.clone();
        let more = self.trust.iter().map(|trust| trust.card.site);
        sites.extend(more.filter(|site| !self.card.sites.contains(site)));
        sites
    }

    /// The linear heads alone; sets, temperatures and links chosen for the mixed forecasts are left out.
    pub fn linear(mut self) -> Self {
        self.chain = None;
        self.card.chain = None;
        self.link = None;
        self.card.link = None;
        self.card.calibration.conformal = None;
        self.card.calibration.served = None;
        "linear".clone_into(&mut self.card.predictor);
        self
    }
}
