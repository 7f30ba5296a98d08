//! Images of other sizes.
use super::{
    Transform,
    transform::{as_batch, as_real, size},
};
use crate::{Backend, Error, InterpolateMode, InterpolateOptions, Result, Tensor, data::Rng};

/// Images of another size, by straight lines over all that a new pixel covers.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Resize.html>
///
/// ```
/// use firesteel::{data::Rng, prelude::*, vision::{Resize, Transform}};
/// let image = Tensor::zeros([3, 40, 60], &Cpu)?;
/// let resized = Resize::shorter_side(20).apply(&image, &mut Rng::new(0))?;
/// assert_eq!(resized.shape(), &[3, 20, 30]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Resize {
    to: To,
    mode: InterpolateMode,
}

#[derive(Clone, Copy, Debug)]
enum To {
    Size([usize; 2]),
    ShorterSide(usize),
}

impl Resize {
    /// To these rows and columns.
    pub fn new(size: [usize; 2]) -> Self {
        Self { to: To::Size(size), mode: InterpolateMode::Bilinear }
    }

    /// To this length of the shorter side; the other keeps the ratio, rounded down.
    pub fn shorter_side(len: usize) -> Self {
        Self { to: To::ShorterSide(len), mode: InterpolateMode::Bilinear }
    }

    /// By the nearest pixel, by lines (the default) or by cubic curves.
    pub fn mode(self, mode: InterpolateMode) -> Self {
        Self { mode, ..self }
    }

    fn target(&self, height: usize, width: usize) -> Result<[usize; 2]> {
        let [rows, columns] = match self.to {
            To::Size(size) => size,
            To::ShorterSide(_) if height.min(width) == 0 => [0, 0],
            To::ShorterSide(len) => {
                let other =
                    |longer: usize, shorter: usize| (len as f64 * longer as f64 / shorter as f64) as usize;
                if height <= width { [len, other(width, height)] } else { [other(height, width), len] }
            }
        };
        if rows == 0 || columns == 0 {
            return Err(Error::value(
                "resize",
                format!("{height} x {width} cannot become {rows} x {columns}"),
            ));
        }
        Ok([rows, columns])
    }
}

impl<B: Backend> Transform<B> for Resize {
    fn apply(&self, image: &Tensor<B>, _: &mut Rng) -> Result<Tensor<B>> {
        let (_, height, width) = size("resize", image)?;
        let target = self.target(height, width)?;
        let smooth = matches!(self.mode, InterpolateMode::Bilinear | InterpolateMode::Bicubic);
        let options = InterpolateOptions { antialias: smooth, ..self.mode.into() };
        as_real("resize", image, |image, most| {
            let resized = as_batch("resize", image, |images| images.interpolate(target, options))?;
            // cubic curves overshoot, and bytes are rounded
            if most == 1. { Ok(resized) } else { resized.round()?.clamp(0.0, most) }
        })
    }
}
