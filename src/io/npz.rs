//! NumPy's [`.npz`](https://numpy.org/doc/stable/reference/generated/numpy.savez.html): arrays by name, in a zip
//! archive.
use super::{
    Limits,
    mapped::map,
    npy,
    zip::{Archive, Method, Writer},
};
use crate::{Error, Result, nn::StateDict};
use std::{
    io::{self, Write},
    panic::Location,
    path::Path,
};

/// The format, as errors name it.
const NPZ: &str = "npz";

/// Reads all arrays of a file.
///
/// ```
/// use firesteel::{io::npz, prelude::*};
/// let path = std::env::temp_dir().join("firesteel-doc.npz");
/// let x = Tensor::new([1.0, 2.0], &Cpu)?.to_data()?;
/// npz::save(&path, &[("x".to_owned(), x.clone())].into())?;
/// assert_eq!(npz::load(&path)?["x"], x);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn load(path: impl AsRef<Path>) -> Result<StateDict> {
    load_with(path, Limits::default())
}

/// [`load`] with other limits than the usual ones.
#[track_caller]
pub fn load_with(path: impl AsRef<Path>, limits: Limits) -> Result<StateDict> {
    let (here, path) = (Location::caller(), path.as_ref());
    map(NPZ, path).and_then(|bytes| from_bytes(&bytes, limits)).map_err(|e| e.at(here))
}

/// Reads the bytes of a file.
#[track_caller]
pub fn from_bytes(bytes: &[u8], limits: Limits) -> Result<StateDict> {
    let here = Location::caller();
    let mut budget = limits.budget(NPZ, bytes.len());
    let mut read = || -> Result<StateDict> {
        let archive = Archive::read(NPZ, bytes)?;
        let arrays = archive.names().map(|name| {
            let file = archive.get(name, &mut budget)?;
            let array = npy::read(NPZ, &file, &mut budget);
            let array = array.map_err(|e| Error::new(e.kind(), NPZ, format!("{name}: {}", e.message())))?;
            Ok((name.strip_suffix(".npy").unwrap_or(name).to_owned(), array))
        });
        arrays.collect()
    };
    read().map_err(|e| e.at(here))
}

/// Writes arrays to a file, which is there whole or not at all.
#[track_caller]
pub fn save(path: impl AsRef<Path>, arrays: &StateDict) -> Result<()> {
    write(path.as_ref(), arrays, Method::Stored)
}

/// [`save`], compressed.
#[track_caller]
pub fn save_compressed(path: impl AsRef<Path>, arrays: &StateDict) -> Result<()> {
    write(path.as_ref(), arrays, Method::Deflated)
}

#[track_caller]
fn write(path: &Path, arrays: &StateDict, method: Method) -> Result<()> {
    let here = Location::caller();
    let headers = arrays.values().map(|array| npy::header(NPZ, array)).collect::<Result<Vec<_>>>();
    let headers = headers.map_err(|e| e.at(here))?;
    let write = |file: &mut dyn Write| -> io::Result<()> {
        let mut archive = Writer::new(file);
        for ((name, array), header) in arrays.iter().zip(&headers) {
            archive.add(&format!("{name}.npy"), &[header, array.data().bytes()], method)?;
        }
        archive.finish().map(drop)
    };
    super::write_atomic(path, |file| write(file)).map_err(|e| e.at(here))
}
