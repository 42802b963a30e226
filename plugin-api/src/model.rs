//! The model a plugin looks into, and the names of the places it can look at.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A place in the forward pass where the residual stream can be read.
///
/// ```
/// use themecast_plugin_api::Site;
///
/// assert_eq!("layer.12.mid".parse(), Ok(Site::LayerMid(12)));
/// assert_eq!(Site::Final.to_string(), "final");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Site {
    /// `layer.L.in`: the residual that enters layer L (what its attention norm reads).
    LayerIn(usize),
    /// `layer.L.mid`: the residual between attention and MLP of layer L.
    LayerMid(usize),
    /// `final`: the residual after the last layer (what the output norm reads).
    Final,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LayerIn(layer) => write!(f, "layer.{layer}.in"),
            Self::LayerMid(layer) => write!(f, "layer.{layer}.mid"),
            Self::Final => f.write_str("final"),
        }
    }
}

/// A text that names no site.
///
/// ```
/// use themecast_plugin_api::Site;
///
/// assert!("layer.x.in".parse::<Site>().unwrap_err().to_string().contains("layer.x.in"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseSiteError(String);

impl fmt::Display for ParseSiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is no site: use final, layer.L.in or layer.L.mid", self.0)
    }
}

impl std::error::Error for ParseSiteError {}

impl FromStr for Site {
    type Err = ParseSiteError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || ParseSiteError(text.to_owned());
        if text == "final" {
            return Ok(Self::Final);
        }
        let rest = text.strip_prefix("layer.").ok_or_else(unknown)?;
        let (layer, side) = rest.split_once('.').ok_or_else(unknown)?;
        let layer = layer.parse().map_err(|_| unknown())?;
        match side {
            "in" => Ok(Self::LayerIn(layer)),
            "mid" => Ok(Self::LayerMid(layer)),
            _ => Err(unknown()),
        }
    }
}

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Site {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a plugin may know of the model that it is attached to.
///
/// ```
/// use themecast_plugin_api::{ModelInfo, Site};
///
/// let model = ModelInfo {
///     architecture: "llama".into(),
///     hidden_size: 576,
///     layers: 30,
///     vocabulary_size: 49_152,
///     tokenizer_sha256: "00".into(),
///     quantization: "Q8_0".into(),
/// };
/// assert_eq!(model.sites().len(), 61);
/// assert!(model.has(Site::LayerIn(29)) && !model.has(Site::LayerIn(30)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The architecture as model files name it: `llama`, `qwen2`, …
    pub architecture: String,
    /// The width of the residual stream.
    pub hidden_size: usize,
    /// The number of layers.
    pub layers: usize,
    /// The number of tokens in the vocabulary.
    pub vocabulary_size: usize,
    /// SHA-256 (hex) over the bytes of every token in order of their ids.
    pub tokenizer_sha256: String,
    /// The most frequent weight type: `Q8_0`, `BF16`, …
    pub quantization: String,
}

impl ModelInfo {
    /// Every site of the model, in the order of the forward pass.
    ///
    /// ```
    /// # use themecast_plugin_api::{ModelInfo, Site};
    /// # let model = ModelInfo { architecture: "llama".into(), hidden_size: 8, layers: 1,
    /// #     vocabulary_size: 2, tokenizer_sha256: String::new(), quantization: String::new() };
    /// assert_eq!(model.sites(), [Site::LayerIn(0), Site::LayerMid(0), Site::Final]);
    /// ```
    pub fn sites(&self) -> Vec<Site> {
        let layers = (0..self.layers).flat_map(|l| [Site::LayerIn(l), Site::LayerMid(l)]);
        layers.chain([Site::Final]).collect()
    }

    /// Whether the model has `site`.
    ///
    /// ```
    /// # use themecast_plugin_api::{ModelInfo, Site};
    /// # let model = ModelInfo { architecture: "llama".into(), hidden_size: 8, layers: 1,
    /// #     vocabulary_size: 2, tokenizer_sha256: String::new(), quantization: String::new() };
    /// assert!(model.has(Site::Final) && !model.has(Site::LayerMid(1)));
    /// ```
    pub fn has(&self, site: Site) -> bool {
        match site {
            Site::LayerIn(layer) | Site::LayerMid(layer) => layer < self.layers,
            Site::Final => true,
        }
    }
}
