//! Reading and writing a bundle's folder.

use super::{Bundle, Card, FORMAT, Fit};
use crate::linear::{Affine, LinearError, LinearPredictor};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use themecast_plugin_api::ModelInfo;

/// Why a bundle can't be used; one line each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file can't be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The card can't be understood.
    #[error("card.json is not a bundle's card: {0}")]
    Card(String),
    /// Another format.
    #[error(
        "the bundle has format {found}, this version reads format {FORMAT}; train it again or update"
    )]
    Format {
        /// What the card says.
        found: u32,
    },
    /// The weights can't be read.
    #[error("weights.safetensors can't be read ({0}); copy the bundle again")]
    Weights(String),
    /// A tensor is missing, of the wrong type or shape, or holds numbers that are not finite.
    #[error("weights.safetensors: {tensor}: {problem}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The heads do not belong together.
    #[error(transparent)]
    Linear(#[from] LinearError),
    /// Numbers on the card do not fit each other.
    #[error("card.json: {what}: {found} where {wanted} are wanted")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// A value on the card can't be.
    #[error("card.json: {0}")]
    Value(String),
    /// The bundle belongs to another model.
    #[error(
        "the bundle is for another model: its {what} is {bundle}, the model's is {model}; train one for this model"
    )]
    OtherModel {
        /// What differs.
        what: &'static str,
        /// What the bundle was made for.
        bundle: String,
        /// What the model has.
        model: String,
    },
}

const CARD: &str = "card.json";
const WEIGHTS: &str = "weights.safetensors";

impl Bundle {
    /// Loads and checks the bundle in `folder`.
    ///
    /// # Errors
    /// [`BundleError`]: the first thing that does not fit, in one line.
    pub fn load(folder: &Path) -> Result<Self, BundleError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|error| BundleError::File { path, error })
        };
        Self::parse(&read(CARD)?, &read(WEIGHTS)?)
    }

    /// Reads and checks a bundle from its two files' contents.
    ///
    /// # Errors
    /// As [`Bundle::load`].
    pub fn parse(card: &[u8], weights: &[u8]) -> Result<Self, BundleError> {
        let card: serde_json::Value = json(card)?;
        let found = card.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if found != u64::from(FORMAT) {
            return Err(BundleError::Format { found: u32::try_from(found).unwrap_or(u32::MAX) });
        }
        let card: Card =
            serde_json::from_value(card).map_err(|e| BundleError::Card(e.to_string()))?;
        check(&card)?;
        let tensors = SafeTensors::deserialize(weights)
            .map_err(|error| BundleError::Weights(error.to_string()))?;
        let temperatures = &card.calibration.temperatures;
        let boundary = heads(&tensors, &card, "boundary", &temperatures.boundary)?;
        let mid = heads(&tensors, &card, "mid", &temperatures.mid)?;
        let layout = card.layout();
        let predictor = LinearPredictor::new(boundary, mid, layout.themes, layout.len())?;
        Ok(Self { card, predictor })
    }

    /// Writes the bundle to `folder`: both files beside their places first, then renamed.
    ///
    /// # Errors
    /// [`BundleError::File`] when the folder can't be written.
    pub fn save(&self, folder: &Path) -> Result<(), BundleError> {
        fs::create_dir_all(folder)
            .map_err(|error| BundleError::File { path: folder.to_owned(), error })?;
        let mut card = serde_json::to_vec_pretty(&self.card)
            .map_err(|error| BundleError::Card(error.to_string()))?;
        card.push(b'\n');
        write(folder, WEIGHTS, &self.weights()?)?;
        write(folder, CARD, &card)
    }

    /// Checks that the bundle belongs to `model`.
    ///
    /// # Errors
    /// [`BundleError::OtherModel`] with the first difference.
    pub fn fits(&self, model: &ModelInfo) -> Result<Fit, BundleError> {
        self.card.fits(model)
    }

    fn weights(&self) -> Result<Vec<u8>, BundleError> {
        use crate::linear::RowKind::{Boundary, Mid};
        let layout = self.layout();
        let mut data: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (set, kind) in [("boundary", Boundary), ("mid", Mid)] {
            for (offset, head) in self.predictor.heads(kind).iter().enumerate() {
                let name = |part: &str| format!("{set}.{offset}.{part}");
                data.push((name("weight"), vec![layout.themes, layout.len()], bytes(&head.weight)));
                data.push((name("bias"), vec![layout.themes], bytes(&head.bias)));
            }
        }
        let failed = |error: safetensors::SafeTensorError| BundleError::Weights(error.to_string());
        let mut views = Vec::with_capacity(data.len());
        for (name, shape, values) in &data {
            let view = TensorView::new(Dtype::F32, shape.clone(), values).map_err(failed)?;
            views.push((name.as_str(), view));
        }
        safetensors::serialize(views, None).map_err(failed)
    }
}

fn json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, BundleError> {
    serde_json::from_slice(bytes).map_err(|error| BundleError::Card(error.to_string()))
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), BundleError> {
    let path = folder.join(name);
    let failed = |error| BundleError::File { path: path.clone(), error };
    let mut file = beside(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error)).map(drop)
}

/// A temporary file in `folder`, readable as other files are.
fn beside(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(folder)
}

/// Checks what the card says against itself.
fn check(card: &Card) -> Result<(), BundleError> {
    let value = |message: String| Err(BundleError::Value(message));
    if card.predictor != "linear" {
        return value(format!("predictor '{}' is not known: want linear", card.predictor));
    }
    if let Err(error) = card.segmenter.validate() {
        return value(error.to_string());
    }
    if let Some(site) = card.sites.iter().find(|site| !card.model.has(**site)) {
        return value(format!("site {site} is none of a model of {} layers", card.model.layers));
    }
    if card.themes.len() < 2 || card.sites.is_empty() || !(1..=16).contains(&card.horizons) {
        return value("want two themes or more, a site or more and 1 to 16 horizons".to_owned());
    }
    let reference = &card.reference;
    let temperatures = &card.calibration.temperatures;
    for (what, found, wanted) in [
        ("boundary temperatures", temperatures.boundary.len(), card.offsets()),
        ("mid temperatures", temperatures.mid.len(), card.offsets()),
        ("reference residual means", reference.residual_mean.len(), card.model.hidden_size),
        ("reference residual deviations", reference.residual_std.len(), card.model.hidden_size),
        ("reference theme shares", reference.theme_share.len(), card.themes.len()),
    ] {
        if found != wanted {
            return Err(BundleError::Count { what, found, wanted });
        }
    }
    let positive = |x: &f32| x.is_finite() && *x > 0.0;
    let scalars = [reference.median_distance, reference.distance_quantile_99, reference.excess_std];
    let all = temperatures.boundary.iter().chain(&temperatures.mid).chain(&scalars);
    match all.chain(&reference.residual_std).all(positive) {
        true => Ok(()),
        false => {
            value("temperatures, deviations and distances must be above 0 and finite".to_owned())
        }
    }
}

/// The heads of one set, one for each temperature.
fn heads(
    tensors: &SafeTensors<'_>,
    card: &Card,
    set: &str,
    temperatures: &[f32],
) -> Result<Vec<Affine>, BundleError> {
    let layout = card.layout();
    let head = |(offset, temperature): (usize, &f32)| {
        let name = |part: &str| format!("{set}.{offset}.{part}");
        Ok(Affine {
            weight: tensor(tensors, name("weight"), &[layout.themes, layout.len()])?,
            bias: tensor(tensors, name("bias"), &[layout.themes])?,
            temperature: *temperature,
        })
    };
    temperatures.iter().enumerate().map(head).collect()
}

fn tensor(
    tensors: &SafeTensors<'_>,
    name: String,
    shape: &[usize],
) -> Result<Vec<f32>, BundleError> {
    let wrong = |problem: String| BundleError::Tensor { tensor: name.clone(), problem };
    let view = tensors.tensor(&name).map_err(|_| wrong("is missing".to_owned()))?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        let (dtype, found) = (view.dtype(), view.shape());
        return Err(wrong(format!("is {dtype:?} {found:?} where F32 {shape:?} is wanted")));
    }
    let (values, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    match values.iter().position(|value| !value.is_finite()) {
        Some(place) => Err(wrong(format!("value {place} is not finite; train the bundle again"))),
        None => Ok(values),
    }
}
