//! Checking files against what they should be: whole by SHA-256, later by size and stamp.

use crate::{AssetError, catalogue::Fingerprint, error::at};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// How much is taken on trust of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// A file of the right size, stamped when it was hashed, is right.
    Stamp,
    /// Every file is hashed.
    Nothing,
}

/// The SHA-256 of a file, in hex, and its length.
pub(crate) fn sha256(path: &Path) -> Result<(String, u64), AssetError> {
    let mut file = fs::File::open(path).map_err(at(path))?;
    let mut hash = Sha256::new();
    let bytes = io::copy(&mut file, &mut hash).map_err(at(path))?;
    Ok((hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), bytes))
}

/// Checks the whole file; a wrong one is removed.
pub(crate) fn check(path: &Path, wanted: &Fingerprint) -> Result<(), AssetError> {
    let (found, found_bytes) = sha256(path)?;
    if found == wanted.sha256 {
        return Ok(());
    }
    fs::remove_file(path).map_err(at(path))?;
    Err(AssetError::Hash {
        path: path.to_owned(),
        found,
        found_bytes,
        wanted: wanted.sha256,
        wanted_bytes: wanted.bytes,
    })
}

/// Whether the file is there and right; nothing is removed. One that had to be hashed is stamped.
pub(crate) fn holds(path: &Path, wanted: &Fingerprint, trust: Trust) -> bool {
    let size = fs::metadata(path).is_ok_and(|file| file.len() == wanted.bytes);
    if !size || (trust == Trust::Stamp && is_stamped(path, wanted)) {
        return size;
    }
    let right = sha256(path).is_ok_and(|(found, _)| found == wanted.sha256);
    if right && !is_stamped(path, wanted) {
        stamp(path, wanted);
    }
    right
}

/// Notes beside the file that it was hashed; a folder that can't be written to does without.
pub(crate) fn stamp(path: &Path, wanted: &Fingerprint) {
    let _ = fs::write(beside(path), line(wanted));
}

fn is_stamped(path: &Path, wanted: &Fingerprint) -> bool {
    fs::read_to_string(beside(path)).is_ok_and(|text| text.trim() == line(wanted).trim())
}

fn line(wanted: &Fingerprint) -> String {
    format!("{} {}\n", wanted.sha256, wanted.bytes)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".sha256");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: Fingerprint = Fingerprint {
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_wrong_file_is_named_with_both_hashes_and_removed() {
        for (text, hash) in [("abd", "a52d159f"), ("ab", "fb8e20fc")] {
            let (_folder, path) = file(text);
            let said = check(&path, &ABC).unwrap_err().to_string();
            assert!(said.contains(hash) && said.contains(ABC.sha256), "{said}");
            assert!(said.contains(&format!("({} bytes)", text.len())), "{said}");
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_right_file_is_stamped_and_then_trusted_by_size() {
        let (_folder, path) = file("abc");
        assert!(holds(&path, &ABC, Trust::Stamp));
        fs::write(&path, "abd").unwrap();
        assert!(holds(&path, &ABC, Trust::Stamp), "stamped");
        assert!(!holds(&path, &ABC, Trust::Nothing), "hashed");
        fs::write(&path, "ab").unwrap();
        assert!(!holds(&path, &ABC, Trust::Stamp), "truncated");
    }

    #[test]
    fn a_file_put_there_by_hand_is_hashed_once() {
        let (_folder, path) = file("abd");
        assert!(!holds(&path, &ABC, Trust::Stamp));
        assert!(path.exists());
    }
}
