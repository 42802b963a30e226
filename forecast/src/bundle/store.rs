//! Reading and writing a bundle's folder.

use super::{
    Bundle, Card, FORMAT, Fit, Temperatures,
    check::check,
    heads::{self, Precision},
    tensors::{full, to_full},
};
use crate::{
    chain,
    chains::{self, Link},
    linear::{LinearError, LinearPredictor},
    open,
    trust::{self, Recogniser},
};
use safetensors::{SafeTensors, tensor::TensorView};
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
    #[error("{path}: {error}; a bundle is a folder of card.json and weights.safetensors")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The card can't be understood.
    #[error("card.json is not a bundle's card: {0}; copy the bundle again or train it again")]
    Card(String),
    /// Another format.
    #[error(
        "the bundle has format {found}, this version reads 1 to {FORMAT}; train it again or update"
    )]
    Format {
        /// What the card says.
        found: u32,
    },
    /// The weights can't be read.
    #[error("weights.safetensors can't be read ({0}); copy the bundle again")]
    Weights(String),
    /// A tensor is missing, of the wrong type or shape, or holds numbers that are not finite.
    #[error("weights.safetensors: {tensor}: {problem}; copy the bundle again or train it again")]
    Tensor {
        /// Its name.
        tensor: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The heads do not belong together.
    #[error(transparent)]
    Linear(#[from] LinearError),
    /// There are more or fewer of something than the card says elsewhere.
    #[error("{file}: {what}: {found} where {wanted} are wanted; train the bundle again")]
    Count {
        /// Where it is counted.
        file: &'static str,
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// A value on the card can't be.
    #[error("card.json: {0}; train the bundle again")]
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

pub(super) const CARD: &str = "card.json";
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
        if !(1..=u64::from(FORMAT)).contains(&found) {
            return Err(BundleError::Format { found: u32::try_from(found).unwrap_or(u32::MAX) });
        }
        let card: Card =
            serde_json::from_value(card).map_err(|e| BundleError::Card(e.to_string()))?;
        check(&card)?;
        let tensors = SafeTensors::deserialize(weights)
            .map_err(|error| BundleError::Weights(error.to_string()))?;
        let layout = card.layout();
        let features = layout.activations().len() + layout.position().len();
        let read = |card| open::read(&tensors, card, features);
        let open = card.open.as_ref().map(read).transpose()?;
        let sizes =
            chain::Sizes { features: layout.len(), themes: layout.themes, horizons: card.horizons };
        let get = |name: String, shape: &[usize]| full(&tensors, name, shape);
        let read = |of| chain::read(of, sizes, get);
        let chain = card.chain.as_ref().map(read).transpose()?;
        let read = |of| Link::read(of, layout.themes, get);
        let link = card.link.as_ref().map(read).transpose()?;
        let read = |of| Recogniser::read(of, layout.hidden, get);
        let trust = card.trust.as_ref().map(read).transpose()?;
        let temperatures = &card.calibration.temperatures;
        let predictor = heads::read(&tensors, ("", Precision::Single), layout, temperatures)?;
        let member = |(at, of): (usize, &Temperatures)| {
            heads::read(&tensors, (&member(at), Precision::Half), layout, of)
        };
        let ensemble: Vec<LinearPredictor> =
            card.ensemble.iter().enumerate().map(member).collect::<Result<_, _>>()?;
        // A weight and a bias for each offset of each set, and of each member; none is missing by now.
        let more = |name: &&str| {
            (chain.is_some() && name.starts_with(chain::PREFIX))
                || (link.is_some() && name.starts_with(chains::PREFIX))
                || (trust.is_some() && name.starts_with(trust::PREFIX))
        };
        let counted = tensors.names().into_iter().filter(|name| !more(name)).count();
        let of_open = card.open.as_ref().map_or(0, open::tensors);
        let wanted = of_open + 4 * card.offsets() * (1 + ensemble.len());
        if counted != wanted {
            let (what, found) = ("tensors", counted);
            return Err(BundleError::Count { file: WEIGHTS, what, found, wanted });
        }
        Ok(Self { card, predictor, ensemble, chain, link, open, trust })
    }

    /// Writes the bundle to `folder`: both files beside their places and to the disk first, then
    /// renamed one after the other. What could not be loaded again is not written.
    ///
    /// # Errors
    /// What [`Bundle::load`] would say; [`BundleError::Value`] when heads and card have different
    /// temperatures; [`BundleError::File`] when the folder can't be written.
    pub fn save(&self, folder: &Path) -> Result<(), BundleError> {
        check(&self.card)?;
        self.check_temperatures()?;
        if self.card.open.as_ref() != self.open.as_ref().map(|head| &head.card) {
            return Err(BundleError::Value("the open head's card differs from the card's".into()));
        }
        if self.card.chain.as_ref() != self.chain.as_ref().map(|model| &model.card) {
            return Err(BundleError::Value("the chain's card differs from the card's".into()));
        }
        if self.card.link.as_ref() != self.link.as_ref().map(|link| &link.card) {
            return Err(BundleError::Value("the links' card differs from the card's".into()));
        }
        if self.card.trust.as_ref() != self.trust.as_ref().map(|own| &own.card) {
            return Err(BundleError::Value("the recogniser's card differs from the card's".into()));
        }
        let mut card = serde_json::to_vec_pretty(&self.card)
            .map_err(|error| BundleError::Card(error.to_string()))?;
        card.push(b'\n');
        let weights = self.weights()?;
        Self::parse(&card, &weights)?;
        let failed = |error| BundleError::File { path: folder.to_owned(), error };
        fs::create_dir_all(folder).map_err(failed)?;
        let weights = stage(folder, WEIGHTS, &weights)?;
        let card = stage(folder, CARD, &card)?;
        weights.place()?;
        card.place()?;
        settle(folder).map_err(failed)
    }

    /// Checks that the heads have the card's temperatures, which are the ones that are saved.
    fn check_temperatures(&self) -> Result<(), BundleError> {
        let card = [&self.card.calibration.temperatures].into_iter().chain(&self.card.ensemble);
        let own = [&self.predictor].into_iter().chain(&self.ensemble);
        let same = self.ensemble.len() == self.card.ensemble.len()
            && own.zip(card).all(|(own, card)| *card == Temperatures::of(own));
        match same {
            true => Ok(()),
            false => Err(BundleError::Value("temperatures differ from those of the heads".into())),
        }
    }

    /// Checks that the bundle belongs to `model`.
    ///
    /// # Errors
    /// [`BundleError::OtherModel`] with the first difference.
    pub fn fits(&self, model: &ModelInfo) -> Result<Fit, BundleError> {
        self.card.fits(model)
    }

    fn weights(&self) -> Result<Vec<u8>, BundleError> {
        let layout = self.layout();
        let mut data = heads::write(&self.predictor, ("", Precision::Single), layout);
        let chain = self.chain.iter().flat_map(chain::write);
        let link = self.link.iter().map(|link| link.write(layout.themes));
        let trust = self.trust.iter().flat_map(Recogniser::write);
        data.extend(
            chain
                .chain(link)
                .chain(trust)
                .map(|(name, shape, values)| to_full(name, shape, values)),
        );
        for (at, one) in self.ensemble.iter().enumerate() {
            data.extend(heads::write(one, (&member(at), Precision::Half), layout));
        }
        data.extend(self.open.iter().flat_map(open::write));
        let failed = |error: safetensors::SafeTensorError| BundleError::Weights(error.to_string());
        let mut views = Vec::with_capacity(data.len());
        for (name, dtype, shape, values) in &data {
            let view = TensorView::new(*dtype, shape.clone(), values).map_err(failed)?;
            views.push((name.as_str(), view));
        }
        safetensors::serialize(views, None).map_err(failed)
    }
}

/// How the names of a member of the ensemble start.
fn member(at: usize) -> String {
    format!("ensemble.{at}.")
}

fn json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, BundleError> {
    serde_json::from_slice(bytes).map_err(|error| BundleError::Card(error.to_string()))
}

/// A file that is written but not yet in its place.
struct Staged {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Staged {
    fn place(self) -> Result<(), BundleError> {
        let Self { file, path } = self;
        match file.persist(&path) {
            Ok(_) => Ok(()),
            Err(error) => Err(BundleError::File { path, error: error.error }),
        }
    }
}

fn stage(folder: &Path, name: &str, bytes: &[u8]) -> Result<Staged, BundleError> {
    let path = folder.join(name);
    let written = beside(folder).and_then(|mut file| {
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    });
    match written {
        Ok(file) => Ok(Staged { file, path }),
        Err(error) => Err(BundleError::File { path, error }),
    }
}

/// Brings the renames to the disk, where a folder can be synced.
fn settle(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => fs::File::open(folder)?.sync_all(),
        false => Ok(()),
    }
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
