//! Files read with errors that name them.
use crate::{Error, Result};
use std::{fs, path::Path};

/// The bytes of a file; where it cannot be read, an error with its path.
#[track_caller]
pub fn read(dataset: &'static str, path: &Path) -> Result<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(e) => Err(unreadable(dataset, path, e)),
    }
}

#[track_caller]
pub fn unreadable(dataset: &'static str, path: &Path, e: std::io::Error) -> Error {
    Error::io(dataset, format!("cannot read {}: {e}", path.display())).because(e)
}
