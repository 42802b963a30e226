//! What can go wrong in the lab, each with the file or the document it happened to.

use std::path::{Path, PathBuf};

/// An error of the offline path.
///
/// ```
/// use themecast_lab::LabError;
///
/// let error = LabError::data("no labels in the training split");
/// assert_eq!(error.to_string(), "no labels in the training split");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// The operating system refused something (disk full, no permission, no such file).
    #[error("{}: cannot {action}: {cause}", path.display())]
    Io {
        /// What was tried, as it reads after "cannot".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words, part of the message; so it is no source, which would be told twice.
        cause: std::io::Error,
    },
    /// A file is there and readable, and not what it should be.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A collection was made with other settings than the ones asked for.
    #[error("{}: {message}", path.display())]
    Mismatch {
        /// The collection.
        path: PathBuf,
        /// The first setting that differs, both values.
        message: String,
    },
    /// The data does not allow what was asked (too few documents, wrong shapes, no labels).
    #[error("{0}")]
    Data(String),
    /// The sentence embedder failed.
    #[error("sentence embeddings: {0}")]
    Embed(String),
    /// Clustering or an optimiser failed.
    #[error("{0}")]
    Fit(String),
    /// The forecast crate refused a bundle or a row.
    #[error("{0}")]
    Forecast(String),
}

/// The lab's result.
pub type Result<T, E = LabError> = std::result::Result<T, E>;

impl LabError {
    /// The data does not allow what was asked.
    ///
    /// ```
    /// # use themecast_lab::LabError;
    /// assert!(matches!(LabError::data("empty"), LabError::Data(_)));
    /// ```
    pub fn data(message: impl Into<String>) -> Self {
        Self::Data(message.into())
    }

    /// The file at `path` is not what it should be.
    pub(crate) fn format(path: &Path, message: impl ToString) -> Self {
        Self::Format { path: path.to_owned(), message: message.to_string() }
    }

    /// Wraps a system error with what was tried, for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { action, path, cause }
    }
}

impl From<candle_core::Error> for LabError {
    fn from(error: candle_core::Error) -> Self {
        Self::Fit(format!("tensor computation: {error}"))
    }
}
