//! What can go wrong in a plugin, sorted by who has to act.

use std::fmt;

/// An error of a plugin. The host never lets one break a stream.
///
/// ```
/// use themecast_plugin_api::PluginError;
///
/// let error = PluginError::invalid("top", "must be 1 to 64, was 0");
/// assert_eq!(error.to_string(), "top: must be 1 to 64, was 0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginError {
    /// The client asked for something that does not fit; the request is refused (HTTP 400).
    InvalidOption {
        /// The option's name, as the client wrote it.
        option: String,
        /// What is wrong with it and what would be right.
        message: String,
    },
    /// The plugin does not fit the model; the host does not start with it.
    UnsupportedModel(String),
    /// The session can't go on; the stream goes on without its annotations.
    Failed(String),
}

impl PluginError {
    /// An option of the request that does not fit.
    ///
    /// ```
    /// # use themecast_plugin_api::PluginError;
    /// assert!(matches!(PluginError::invalid("top", "too large"), PluginError::InvalidOption { .. }));
    /// ```
    pub fn invalid(option: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidOption { option: option.into(), message: message.into() }
    }

    /// A failure of the session itself.
    ///
    /// ```
    /// # use themecast_plugin_api::PluginError;
    /// assert_eq!(PluginError::failed("no history").to_string(), "no history");
    /// ```
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidOption { option, message } => write!(f, "{option}: {message}"),
            Self::UnsupportedModel(message) | Self::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for PluginError {}
