//! The lines of a text file.
use super::{Dataset, IterableDataset, dataset::out_of_range, file};
use crate::{Error, Result};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    ops::Range,
    path::{Path, PathBuf},
};

/// The lines of a file in memory, by their numbers, without their ends.
///
/// ```
/// use firesteel::data::{Dataset, TextLines};
/// let lines = TextLines::from_text("one\ntwo\r\nthree");
/// assert_eq!((lines.len(), lines.item(1)?), (3, "two".to_owned()));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TextLines {
    text: String,
    lines: Vec<Range<usize>>,
}

impl TextLines {
    /// Reads a file of UTF-8.
    #[track_caller]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        match String::from_utf8(file::read("text_lines", path)?) {
            Ok(text) => Ok(Self::from_text(text)),
            Err(e) => Err(Error::format("text_lines", format!("{}: {e}", path.display())).because(e)),
        }
    }

    /// The lines of a text.
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        let start = |line: &str| line.as_ptr() as usize - text.as_ptr() as usize;
        let lines = text.lines().map(|line| start(line)..start(line) + line.len()).collect();
        Self { text, lines }
    }
}

impl Dataset for TextLines {
    type Item = String;
    fn len(&self) -> usize {
        self.lines.len()
    }
    fn item(&self, index: usize) -> Result<String> {
        let line = self.lines.get(index).and_then(|line| self.text.get(line.clone()));
        line.map(str::to_owned).ok_or_else(|| out_of_range(index, self.lines.len()))
    }
}

/// The lines of a file that need not fit into memory, one after another, without their ends.
///
/// ```
/// use firesteel::data::{IterableDataset, TextStream};
/// # let path = std::env::temp_dir().join("firesteel-doc-lines.txt");
/// # std::fs::write(&path, "one\ntwo\n")?;
/// let lines: Vec<String> = TextStream::new(&path).stream(0)?.collect::<Result<_, _>>()?;
/// assert_eq!(lines, ["one", "two"]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TextStream {
    path: PathBuf,
}

impl TextStream {
    /// The lines of a file of UTF-8, which is opened anew for each epoch.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl IterableDataset for TextStream {
    type Item = String;
    fn stream(&self, _: u64) -> Result<impl Iterator<Item = Result<String>> + Send + 'static> {
        let path = self.path.clone();
        let opened = File::open(&path).map_err(|e| file::unreadable("text_stream", &path, e))?;
        let lines = BufReader::new(opened).lines();
        Ok(lines.map(move |line| line.map_err(|e| file::unreadable("text_stream", &path, e))))
    }
}
