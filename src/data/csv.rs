//! Tables of comma-separated values.
use super::{Dataset, file};
use crate::{Error, Result};
use csv::ReaderBuilder;
use serde::de::DeserializeOwned;
use std::path::Path;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What stands between two fields: `,` unless it is set.
    pub delimiter: u8,
    /// Whether the first row names the columns: it does unless it is set.
    pub header: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', header: true }
    }
}

/// The rows of a table in memory, each of a type that `serde` makes of it: a tuple or a `Vec` by the order of
/// the columns, a struct by their names.
///
/// ```
/// use firesteel::{data::{CsvDataset, CsvOptions, DataLoader}, prelude::*};
/// let table = "height,width,class\n1.5,0.5,0\n2.0,1.0,1\n";
/// let rows = CsvDataset::<(f32, f32, i64)>::from_bytes(table.as_bytes(), CsvOptions::default())?;
/// for batch in DataLoader::new(rows, 2)?.iter(0, &Cpu) {
///     let (height, _, class) = batch?;
///     assert_eq!(height.to_vec::<f32>()?, [1.5, 2.0]);
///     assert_eq!(class.to_vec::<i64>()?, [0, 1]);
/// }
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CsvDataset<T> {
    rows: Vec<T>,
}

impl<T: DeserializeOwned> CsvDataset<T> {
    /// Reads a file with commas and a header.
    #[track_caller]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, CsvOptions::default())
    }

    /// Reads a file.
    #[track_caller]
    pub fn open_with(path: impl AsRef<Path>, options: CsvOptions) -> Result<Self> {
        let path = path.as_ref();
        let name = |e: Error| Error::new(e.kind(), "csv", format!("{}: {}", path.display(), e.message()));
        Self::from_bytes(&file::read("csv", path)?, options).map_err(name)
    }

    /// The rows of a table; a row that does not fit the type is an error, which says where it is.
    #[track_caller]
    pub fn from_bytes(table: &[u8], options: CsvOptions) -> Result<Self> {
        let CsvOptions { delimiter, header } = options;
        let mut reader = ReaderBuilder::new().delimiter(delimiter).has_headers(header).from_reader(table);
        let rows = reader.deserialize().collect::<csv::Result<Vec<T>>>();
        Ok(Self { rows: rows.map_err(|e| Error::format("csv", e.to_string()).because(e))? })
    }
}

impl<T> CsvDataset<T> {
    /// All rows.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }
}

impl<T: Clone + Send + Sync + 'static> Dataset for CsvDataset<T> {
    type Item = T;
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn item(&self, index: usize) -> Result<T> {
        self.rows.item(index)
    }
}
