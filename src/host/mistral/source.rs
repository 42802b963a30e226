//! Where a model comes from, as the user names it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A model as mistral.rs can load it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// One GGUF file with its tokenizer inside.
    Gguf(PathBuf),
    /// A folder with `config.json`, `tokenizer.json` and safetensors.
    Folder(PathBuf),
    /// A name on the model hub, `owner/name`.
    Hub(String),
}

impl ModelSource {
    /// A name for people: the file's or folder's own, without what it lies in.
    pub fn name(&self) -> String {
        let path = match self {
            Self::Gguf(path) => path.file_stem(),
            Self::Folder(path) => path.file_name(),
            Self::Hub(name) => return name.clone(),
        };
        path.map_or_else(|| self.to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// Reads what a user gave as `--model`: an existing file, an existing folder, or a hub name.
    ///
    /// # Errors
    /// A line that says what was looked for when it is none of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = Path::new(text);
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        if path.is_file() {
            return Ok(Self::Gguf(path.to_owned()));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let hub = parts.len() == 2 && parts.iter().all(|part| !part.is_empty());
        if hub && !text.starts_with('.') && !text.ends_with(".gguf") {
            return Ok(Self::Hub(text.to_owned()));
        }
        Err(format!(
            "no model at '{text}': give a .gguf file, a folder with config.json and safetensors, \
             a hub name such as owner/name, or a name that `themecast fetch --named` knows"
        ))
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gguf(path) | Self::Folder(path) => path.display().fmt(f),
            Self::Hub(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_files_and_folders_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.gguf");
        std::fs::write(&file, b"x").unwrap();
        let parse = |path: &Path| ModelSource::parse(path.to_str().unwrap());
        assert_eq!(parse(&file), Ok(ModelSource::Gguf(file.clone())));
        assert_eq!(parse(folder.path()), Ok(ModelSource::Folder(folder.path().to_owned())));
        assert_eq!(ModelSource::parse("a/b"), Ok(ModelSource::Hub("a/b".into())));
        assert!(ModelSource::parse("missing.gguf").unwrap_err().contains("missing.gguf"));
        assert!(ModelSource::parse("./x/missing.gguf").is_err());
    }
}
