//! From the norms of one forward pass to sites with names.

use candle_core::TensorId;
use std::collections::HashMap;
use themecast_plugin_api::Site;

/// One norm as it was seen: which weight, and how wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeenNorm {
    pub(crate) weight: TensorId,
    pub(crate) width: usize,
}

/// Why a model's norms do not map to sites.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// The seam takes one observer, and it is not the tap.
    #[error("another observer of forward passes is installed in this process: there can be one")]
    Observed,
    /// No RMSNorm of the residual's width was seen at all.
    #[error(
        "no RMSNorm of width {hidden} was seen in a forward pass of this {architecture} model: it \
         normalises with LayerNorm (as Phi-2 and StarCoder2 do) and has no site map"
    )]
    NoNorms {
        /// The model's architecture.
        architecture: String,
        /// The width of the residual stream.
        hidden: usize,
    },
    /// Another number of norms than two a layer and one at the end.
    #[error(
        "{seen} RMSNorms of width {hidden} were seen in a forward pass of this {architecture} \
         model, but two a layer and one at the end would be {expected}: {guess}; it has no site map"
    )]
    Count {
        /// The model's architecture.
        architecture: String,
        /// The width of the residual stream.
        hidden: usize,
        /// How many were seen.
        seen: usize,
        /// How many a pre-norm model has: 2 × layers + 1.
        expected: usize,
        /// What kind of model that may be.
        guess: &'static str,
    },
}

/// Which norm weight stands at which site of one loaded model.
#[derive(Debug, Clone)]
pub struct SiteMap {
    ordinals: HashMap<TensorId, usize>,
    first: TensorId,
    layers: usize,
    hidden: usize,
}

impl SiteMap {
    /// Resolves the norms of one forward pass, in order; the pre-norm layout of Llama, Mistral,
    /// Qwen2, Qwen3 and Phi-3: norm 2l reads the residual that enters layer l, norm 2l+1 the one
    /// between attention and MLP, the last one the final residual. Narrower norms (q/k) are no
    /// sites.
    ///
    /// # Errors
    /// [`SiteError`] when the norms are not of that layout.
    pub(crate) fn resolve(
        seen: &[SeenNorm],
        architecture: &str,
        layers: usize,
        hidden: usize,
    ) -> Result<Self, SiteError> {
        let mut order: Vec<TensorId> = Vec::new();
        let wide = seen.iter().filter(|norm| norm.width == hidden);
        for norm in wide {
            if order.first() == Some(&norm.weight) {
                break; // the next forward pass begins
            }
            order.push(norm.weight);
        }
        let Some(&first) = order.first() else {
            return Err(SiteError::NoNorms { architecture: architecture.to_owned(), hidden });
        };
        let ordinals: HashMap<_, _> = order.iter().enumerate().map(|(i, id)| (*id, i)).collect();
        let expected = 2 * layers + 1;
        if order.len() != expected || ordinals.len() != expected {
            return Err(SiteError::Count {
                architecture: architecture.to_owned(),
                hidden,
                seen: order.len(),
                expected,
                guess: guess(order.len(), layers),
            });
        }
        Ok(Self { ordinals, first, layers, hidden })
    }

    /// Where `site` comes in the forward pass, counted from 0; none where the model has no such.
    pub fn ordinal(&self, site: Site) -> Option<usize> {
        match site {
            Site::LayerIn(layer) => (layer < self.layers).then_some(2 * layer),
            Site::LayerMid(layer) => (layer < self.layers).then_some(2 * layer + 1),
            Site::Final => Some(2 * self.layers),
        }
    }

    /// How many sites there are.
    pub fn sites(&self) -> usize {
        self.ordinals.len()
    }

    /// The width of the residual stream.
    pub fn hidden_size(&self) -> usize {
        self.hidden
    }

    pub(crate) fn first(&self) -> TensorId {
        self.first
    }

    pub(crate) fn weights(&self) -> impl Iterator<Item = TensorId> {
        self.ordinals.keys().copied()
    }

    pub(crate) fn ordinal_of(&self, weight: TensorId) -> Option<usize> {
        self.ordinals.get(&weight).copied()
    }
}

fn guess(seen: usize, layers: usize) -> &'static str {
    if seen == 4 * layers + 1 {
        "four a layer, so sub-layer outputs (Gemma 2 and 3) or queries and keys of full width \
         (OLMo 2) are normalised too"
    } else if seen == layers + 1 {
        "one a layer, so attention and MLP run side by side"
    } else {
        "the layout is not known"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device, Tensor};

    fn norms(widths: &[usize]) -> Vec<SeenNorm> {
        let weight = |width: &usize| {
            let tensor = Tensor::zeros(*width, DType::F32, &Device::Cpu).unwrap();
            SeenNorm { weight: tensor.id(), width: *width }
        };
        widths.iter().map(weight).collect()
    }

    fn check(widths: &[usize], layers: usize) -> Result<SiteMap, SiteError> {
        SiteMap::resolve(&norms(widths), "test", layers, 8)
    }

    #[test]
    fn pre_norm_layout_maps_and_narrow_norms_are_no_sites() {
        let map = check(&[8, 2, 2, 8, 8, 2, 2, 8, 8], 2).unwrap();
        assert_eq!(map.sites(), 5);
        assert_eq!(map.ordinal(Site::LayerMid(1)), Some(3));
        assert_eq!(map.ordinal(Site::Final), Some(4));
        assert_eq!(map.ordinal(Site::LayerIn(2)), None);
    }

    #[test]
    fn a_second_pass_is_not_counted() {
        let mut seen = norms(&[8, 8, 8]);
        seen.extend(seen.clone());
        assert_eq!(SiteMap::resolve(&seen, "test", 1, 8).unwrap().sites(), 3);
    }

    #[test]
    fn other_layouts_are_refused_with_the_reason() {
        let message = |result: Result<SiteMap, SiteError>| result.unwrap_err().to_string();
        assert!(message(check(&[], 1)).contains("LayerNorm"));
        assert!(message(check(&[8, 8, 8, 8, 8], 1)).contains("Gemma 2 and 3"));
        assert!(message(check(&[8, 8, 8], 2)).contains("side by side"));
        assert!(message(check(&[8, 8, 8, 8], 1)).contains("would be 3"));
    }
}
