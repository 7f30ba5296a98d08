//! Images in a folder for each class.
use super::{Dataset, classes::Classes};
use crate::{Result, TensorData, vision::read_image};
use std::path::Path;

/// Images of files `root/class/name.png`, as `(image (3, rows, columns) of U8, label)`. A label is the place of
/// the class in the sorted list of folders. Images have the sizes of their files: a transform brings them to one.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html>
#[derive(Clone, Debug)]
pub struct ImageFolder(Classes);

impl ImageFolder {
    /// Finds the images (`bmp`, `jpeg`, `jpg`, `png`) under `root`. They are read when they are asked for.
    #[track_caller]
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        Classes::find("image_folder", root.as_ref(), &["bmp", "jpeg", "jpg", "png"]).map(Self)
    }

    /// The names of the classes: a label is a place in this list.
    pub fn classes(&self) -> &[String] {
        &self.0.names
    }
}

impl Dataset for ImageFolder {
    type Item = (TensorData, i64);
    fn len(&self) -> usize {
        self.0.files.len()
    }
    fn item(&self, index: usize) -> Result<(TensorData, i64)> {
        let (path, label) = self.0.file(index)?;
        Ok((read_image(path)?, label))
    }
}
