//! Changes of each pixel by its value, and by its neighbours.
use super::{
    colour::blend,
    transform::{as_batch, as_real, size},
};
use crate::{Backend, ConvOptions, DType, Error, Index, Result, Tensor, keepdim};

/// Images whose pixels lie on fewer levels: 2 to the power of `bits`, of U8 alone.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.posterize.html>
#[track_caller]
pub fn posterize<B: Backend>(image: &Tensor<B>, bits: u32) -> Result<Tensor<B>> {
    bytes("posterize", image)?;
    image.bitwise_and(256 - (1i64 << 8u32.saturating_sub(bits)))
}

/// Images whose bright pixels, from `threshold` on, are inverted. U8 goes from 0 to 255, real numbers from 0 to 1.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.solarize.html>
#[track_caller]
pub fn solarize<B: Backend>(image: &Tensor<B>, threshold: f64) -> Result<Tensor<B>> {
    as_real("solarize", image, |image, most| image.ge(threshold)?.where_(&image.rsub(most)?, image))
}

/// Images whose darkest pixel of each channel is black, and whose brightest is white.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.autocontrast.html>
#[track_caller]
pub fn autocontrast<B: Backend>(image: &Tensor<B>) -> Result<Tensor<B>> {
    as_real("autocontrast", image, |image, most| {
        let (low, high) = (image.amin(keepdim([-2, -1]))?, image.amax(keepdim([-2, -1]))?);
        let flat = low.eq(&high)?;
        // a channel of one level stays as it is
        let scale = flat.where_(1.0, &((&high - &low)?.reciprocal()? * most)?)?;
        let low = flat.where_(0.0, &low)?;
        ((image - &low)? * &scale)?.clamp(0.0, most)
    })
}

/// Images of U8 whose levels are as frequent as each other, in each channel.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.equalize.html>
#[track_caller]
pub fn equalize<B: Backend>(image: &Tensor<B>) -> Result<Tensor<B>> {
    bytes("equalize", image)?;
    let (_, rows, columns) = size("equalize", image)?;
    let mut pixels: Vec<u8> = image.to_vec()?;
    if rows * columns > 0 {
        pixels.chunks_exact_mut(rows * columns).for_each(equalize_plane);
    }
    Tensor::from_vec(pixels, image.shape().clone(), image.backend())
}

/// By a table of the cumulative counts, in steps of `(all - last) / 255`.
fn equalize_plane(plane: &mut [u8]) {
    let mut counts = [0usize; 256];
    plane.iter().for_each(|&p| counts[usize::from(p)] += 1);
    let last = counts.iter().rev().copied().find(|count| *count > 0).unwrap_or(0);
    let step = (plane.len() - last) / 255;
    if step == 0 {
        return;
    }
    let mut before = 0;
    let table = counts.map(|count| {
        let level = (before + step / 2) / step;
        before += count;
        level.min(255) as u8
    });
    plane.iter_mut().for_each(|p| *p = table[usize::from(*p)]);
}

/// Sharper images (a factor above 1), or blurred ones. The outermost pixels stay as they are.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_sharpness.html>
#[track_caller]
pub fn adjust_sharpness<B: Backend>(image: &Tensor<B>, sharpness: f64) -> Result<Tensor<B>> {
    if !(sharpness.is_finite() && sharpness >= 0.) {
        return Err(Error::value(
            "adjust_sharpness",
            format!("a factor is finite and not negative, not {sharpness}"),
        ));
    }
    let (channels, rows, columns) = size("adjust_sharpness", image)?;
    if rows <= 2 || columns <= 2 {
        return Ok(image.clone());
    }
    as_real("adjust_sharpness", image, |image, most| {
        as_batch("adjust_sharpness", image, |images| {
            // each pixel weighs five times as much as its eight neighbours
            let mut kernel = [1. / 13.; 9];
            kernel[4] = 5. / 13.;
            let kernel = Tensor::new(kernel, (images.dtype(), images.backend()))?.reshape([1, 1, 3, 3])?;
            let kernel = kernel.expand([channels as isize, 1, 3, 3])?;
            let blurred =
                images.conv2d(&kernel, None, ConvOptions { groups: channels, ..Default::default() })?;
            let blurred = if most == 1. { blurred } else { blurred.round()? };
            let mut soft = images.clone();
            soft.assign(vec![Index::Ellipsis, (1..rows - 1).into(), (1..columns - 1).into()], &blurred)?;
            blend(images, &soft, sharpness, most)
        })
    })
}

fn bytes<B: Backend>(op: &'static str, image: &Tensor<B>) -> Result<()> {
    match image.dtype() {
        DType::U8 => Ok(()),
        dtype => Err(Error::dtype(op, format!("levels are of uint8, not {dtype}"))),
    }
}
