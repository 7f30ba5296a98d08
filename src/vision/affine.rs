//! Images that are turned, moved, scaled and sheared.
use super::{
    Transform,
    transform::{as_batch, as_real},
};
use crate::{Backend, GridMode, GridSampleOptions, Result, Tensor, data::Rng};

/// How [`affine`] moves images. Angles are in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// The turn, clockwise.
    pub angle: f64,
    /// The move to the right and down, in pixels.
    pub translate: [f64; 2],
    /// How much larger.
    pub scale: f64,
    /// The angles by which lines along the rows and along the columns lean.
    pub shear: [f64; 2],
    /// What stays where it is, to the right of and below the middle, in pixels.
    pub center: [f64; 2],
    /// How to find what lies between pixels.
    pub mode: GridMode,
}

impl Default for Affine {
    /// Nothing moves, and pixels are the nearest.
    fn default() -> Self {
        Self {
            angle: 0.,
            translate: [0.; 2],
            scale: 1.,
            shear: [0.; 2],
            center: [0.; 2],
            mode: GridMode::Nearest,
        }
    }
}

impl Affine {
    /// From places in the result to places in the image, both from the middle: `(x, y) ← M (x, y) + t`, as `[M, t]`
    /// in rows. It is the inverse of `R S` and the scale around the center, with the turn `R` and the shear `S`.
    fn inverse(&self) -> [[f64; 3]; 2] {
        let [angle, x, y] = [self.angle, self.shear[0], self.shear[1]].map(f64::to_radians);
        let ((sin, cos), tan_x, tan_y) = (angle.sin_cos(), x.tan(), y.tan());
        // R · (1, -tan y), and -tan x of that with R · (0, 1)
        let (a, c) = (cos + sin * tan_y, sin - cos * tan_y);
        let (b, d) = (-tan_x * a - sin, -tan_x * c + cos);
        // the determinant of R S is 1
        let rows = [[d, -b], [-c, a]].map(|row| row.map(|m| m / self.scale));
        let [cx, cy] = self.center;
        let [dx, dy] = [cx + self.translate[0], cy + self.translate[1]];
        [[rows[0], [cx, 0.]], [rows[1], [cy, 0.]]]
            .map(|[[m, n], [center, _]]| [m, n, center - m * dx - n * dy])
    }
}

/// Turned, moved, scaled and sheared images of the same size; what comes from outside is 0.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.affine.html>
///
/// ```
/// use firesteel::{prelude::*, vision::{Affine, affine}};
/// let image = Tensor::new([[[1.0, 2.0], [3.0, 4.0]]], &Cpu)?;
/// let moved = affine(&image, Affine { translate: [1.0, 0.0], ..Default::default() })?;
/// assert_eq!(moved.to_vec::<f32>()?, [0., 1., 0., 3.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn affine<B: Backend>(image: &Tensor<B>, how: Affine) -> Result<Tensor<B>> {
    let here = std::panic::Location::caller();
    let [[a, b, x], [c, d, y]] = how.inverse();
    let moved = as_real("affine", image, |image, most| {
        as_batch("affine", image, |images| {
            let (height, width) = (images.size(2)? as f64, images.size(3)? as f64);
            // a grid goes from -1 to 1 over the image
            let theta = [[a, b * height / width, 2. * x / width], [c * width / height, d, 2. * y / height]];
            let theta = Tensor::new([theta], (image.dtype(), image.backend()))?;
            let grid = theta.affine_grid([1, 1, images.size(2)?, images.size(3)?], false)?;
            let grid = grid.expand([images.size(0)? as isize, -1, -1, -1])?;
            let moved =
                images.grid_sample(&grid, GridSampleOptions { mode: how.mode, ..Default::default() })?;
            if most == 1. { Ok(moved) } else { moved.round() }
        })
    });
    moved.map_err(|e| e.at(here))
}

/// Images turned by some degrees, counter-clockwise; what comes from outside is 0.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.rotate.html>
#[track_caller]
pub fn rotate<B: Backend>(image: &Tensor<B>, degrees: f64, mode: GridMode) -> Result<Tensor<B>> {
    affine(image, Affine { angle: -degrees, mode, ..Default::default() })
}

/// Turns images by an angle up to some degrees, either way.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomRotation.html>
#[derive(Clone, Copy, Debug)]
pub struct RandomRotation {
    degrees: f64,
    mode: GridMode,
}

impl RandomRotation {
    /// By up to these degrees, with the nearest pixels.
    pub fn new(degrees: f64) -> Self {
        Self { degrees, mode: GridMode::Nearest }
    }

    /// By the nearest pixel (the default), by lines or by cubic curves.
    pub fn mode(self, mode: GridMode) -> Self {
        Self { mode, ..self }
    }
}

impl<B: Backend> Transform<B> for RandomRotation {
    fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>> {
        rotate(image, rng.uniform_in(-self.degrees, self.degrees), self.mode)
    }
}
