//! Files whose tensors are read when they are asked for.
use super::{Header, Metadata, SAFETENSORS, header::Entry, tensor};
use crate::{Error, Meta, Result, TensorData, io::mapped::map};
use memmap2::Mmap;
use std::{ops::Range, panic::Location, path::Path};

/// An open file, of which no more is read than the tensors that are asked for; the `safe_open` of Python's library.
///
/// ```
/// use firesteel::{io::safetensors::{self, SafeOpen}, prelude::*};
/// let path = std::env::temp_dir().join("firesteel-doc-lazy.safetensors");
/// let table = Tensor::new([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &Cpu)?.to_data()?;
/// safetensors::save(&path, &[("table".to_owned(), table)].into())?;
///
/// let file = SafeOpen::new(&path)?;
/// assert_eq!(file.keys().collect::<Vec<_>>(), ["table"]);
/// assert_eq!(file.meta("table")?.to_string(), "float32 [3, 2]");
/// assert_eq!(file.get_rows("table", 1..2)?.to_vec::<f32>(), [3., 4.]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Debug)]
pub struct SafeOpen {
    bytes: Mmap,
    header: Header,
}

impl SafeOpen {
    /// Opens a file, and reads its header.
    #[track_caller]
    pub fn new(path: impl AsRef<Path>) -> Result<Self> {
        let here = Location::caller();
        let open = || {
            let bytes = map(SAFETENSORS, path.as_ref())?;
            let header = Header::read(&bytes)?;
            Ok(Self { bytes, header })
        };
        open().map_err(|e: Error| e.at(here))
    }

    /// The names of the tensors, in alphabetical order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.header.tensors.keys().map(String::as_str)
    }

    /// The strings beside the tensors.
    pub fn metadata(&self) -> &Metadata {
        &self.header.metadata
    }

    /// A tensor's shape and dtype.
    #[track_caller]
    pub fn meta(&self, name: &str) -> Result<&Meta> {
        self.entry(name).map(|entry| &entry.meta)
    }

    /// Reads a tensor.
    #[track_caller]
    pub fn get_tensor(&self, name: &str) -> Result<TensorData> {
        let here = Location::caller();
        tensor(&self.bytes, name, self.entry(name)?).map_err(|e| e.at(here))
    }

    /// Reads some rows of a tensor: those of its first axis with these numbers.
    #[track_caller]
    pub fn get_rows(&self, name: &str, rows: Range<usize>) -> Result<TensorData> {
        let (here, entry) = (Location::caller(), self.entry(name)?);
        let mut meta = entry.meta.clone();
        let Some(count) =
            meta.shape.first_mut().filter(|count| rows.start <= rows.end && rows.end <= **count)
        else {
            let why = format!("{name} of shape {} has no rows {rows:?}", entry.meta.shape);
            return Err(Error::index(SAFETENSORS, why));
        };
        // a row of no rows is never asked for
        let row = entry.place.len() / (*count).max(1);
        *count = rows.len();
        let start = entry.place.start + row * rows.start;
        let place = start..start + row * rows.len();
        tensor(&self.bytes, name, &Entry { meta, place }).map_err(|e| e.at(here))
    }

    #[track_caller]
    fn entry(&self, name: &str) -> Result<&Entry> {
        let Some(entry) = self.header.tensors.get(name) else {
            let names: Vec<_> = self.keys().take(8).collect();
            let why =
                format!("there is no {name:?} among {} tensors: {}", self.keys().count(), names.join(", "));
            return Err(Error::value(SAFETENSORS, why));
        };
        Ok(entry)
    }
}
