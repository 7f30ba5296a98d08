//! Image files.
use crate::{Data, Error, Result, TensorData};
use image::{DynamicImage, ImageReader, RgbImage};
use std::path::Path;

/// Reads an image (`bmp`, `jpeg`, `png`, by its content) as `(3, rows, columns)` of U8.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.io.decode_image.html>
///
/// ```
/// use firesteel::{Data, TensorData, vision::{read_image, write_image}};
/// let path = std::env::temp_dir().join("firesteel-doc.png");
/// let image = TensorData::new([3, 1, 2], Data::U8(vec![255, 0, 0, 128, 7, 9]))?;
/// write_image(&path, &image)?;
/// assert_eq!(read_image(&path)?, image);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn read_image(path: impl AsRef<Path>) -> Result<TensorData> {
    let path = path.as_ref();
    let unreadable = |e: std::io::Error| {
        Error::io("read_image", format!("cannot read {}: {e}", path.display())).because(e)
    };
    let reader = ImageReader::open(path).map_err(unreadable)?.with_guessed_format().map_err(unreadable)?;
    let image = reader.decode().map_err(|e| {
        Error::format("read_image", format!("{} is not an image: {e}", path.display())).because(e)
    })?;
    planes(&image)
}

/// Colour by colour, as tensors have them; files go pixel by pixel.
fn planes(image: &DynamicImage) -> Result<TensorData> {
    let image = image.to_rgb8();
    let (columns, rows) = (image.width() as usize, image.height() as usize);
    let pixels = image.into_raw();
    let planes = (0..3).flat_map(|colour| pixels.iter().skip(colour).step_by(3).copied());
    TensorData::new([3, rows, columns], Data::U8(planes.collect()))
}

/// Writes `(3, rows, columns)` of U8 to a file, in the format of its extension.
#[track_caller]
pub fn write_image(path: impl AsRef<Path>, image: &TensorData) -> Result<()> {
    let path = path.as_ref();
    let (&[3, rows, columns], Data::U8(planes)) = (&image.shape()[..], image.data()) else {
        let why = format!("an image is (3, rows, columns) of uint8, not {}", image.meta());
        return Err(Error::shape("write_image", why));
    };
    let plane = rows * columns;
    let pixels = (0..plane).flat_map(|at| [planes[at], planes[plane + at], planes[2 * plane + at]]).collect();
    let size = |n: usize| u32::try_from(n).ok();
    let image = size(columns).zip(size(rows)).and_then(|(w, h)| RgbImage::from_raw(w, h, pixels));
    let image =
        image.ok_or_else(|| Error::shape("write_image", format!("{rows} rows of {columns} are too many")))?;
    image
        .save(path)
        .map_err(|e| Error::io("write_image", format!("cannot write {}: {e}", path.display())).because(e))
}
