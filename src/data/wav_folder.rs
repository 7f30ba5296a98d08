//! Sounds in a folder for each class.
use super::{Dataset, classes::Classes};
use crate::{Result, TensorData, audio::read_wav};
use std::path::Path;

/// Sounds of files `root/class/name.wav`, as `(waveform (channels, samples) of F32 in [-1, 1], samples in a second,
/// label)`. A label is the place of the class in the sorted list of folders.
#[derive(Clone, Debug)]
pub struct WavFolder(Classes);

impl WavFolder {
    /// Finds the files (`wav`) under `root`. They are read when they are asked for.
    #[track_caller]
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        Classes::find("wav_folder", root.as_ref(), &["wav"]).map(Self)
    }

    /// The names of the classes: a label is a place in this list.
    pub fn classes(&self) -> &[String] {
        &self.0.names
    }
}

impl Dataset for WavFolder {
    type Item = (TensorData, i64, i64);
    fn len(&self) -> usize {
        self.0.files.len()
    }
    fn item(&self, index: usize) -> Result<(TensorData, i64, i64)> {
        let (path, label) = self.0.file(index)?;
        let (waveform, rate) = read_wav(path)?;
        Ok((waveform, rate.into(), label))
    }
}
