//! A few changes at random, all of one strength.
use super::{
    Affine, Transform, adjust_brightness, adjust_contrast, adjust_saturation, adjust_sharpness, affine,
    autocontrast, equalize, posterize, rotate, solarize, transform::size,
};
use crate::{Backend, GridMode, Result, Tensor, data::Rng};

/// A few changes of images of U8, drawn from fourteen, all of one magnitude. Cubuk et al.,
/// [RandAugment](https://arxiv.org/abs/1909.13719), 2019.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandAugment.html>
///
/// ```
/// use firesteel::{data::Rng, prelude::*, vision::{RandAugment, Transform}};
/// let image = Tensor::full([3, 8, 8], 100, (DType::U8, &Cpu))?;
/// let changed = RandAugment::default().apply(&image, &mut Rng::new(7))?;
/// assert_eq!(changed.meta(), image.meta());
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RandAugment {
    /// How many changes follow each other.
    pub num_ops: usize,
    /// How strong they are, from 0 to 30.
    pub magnitude: usize,
}

impl Default for RandAugment {
    /// Two changes of magnitude 9.
    fn default() -> Self {
        Self { num_ops: 2, magnitude: 9 }
    }
}

/// What may be done to an image.
#[derive(Clone, Copy, Debug)]
enum Change {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
}

impl Change {
    const ALL: [Change; 14] = [
        Change::Identity,
        Change::ShearX,
        Change::ShearY,
        Change::TranslateX,
        Change::TranslateY,
        Change::Rotate,
        Change::Brightness,
        Change::Color,
        Change::Contrast,
        Change::Sharpness,
        Change::Posterize,
        Change::Solarize,
        Change::AutoContrast,
        Change::Equalize,
    ];

    /// The image changed by a strength in `[-1, 1]`, of which the sign is which way, where there are two.
    fn apply<B: Backend>(self, image: &Tensor<B>, strength: f64) -> Result<Tensor<B>> {
        let (_, rows, columns) = size("rand_augment", image)?;
        // shears are about the upper left corner
        let corner = [-(columns as f64) / 2., -(rows as f64) / 2.];
        let lean = (0.3 * strength).atan().to_degrees();
        let far = |pixels: usize| (150. / 331. * pixels as f64 * strength).trunc();
        match self {
            Change::Identity => Ok(image.clone()),
            Change::ShearX => {
                affine(image, Affine { shear: [lean, 0.], center: corner, ..Default::default() })
            }
            Change::ShearY => {
                affine(image, Affine { shear: [0., lean], center: corner, ..Default::default() })
            }
            Change::TranslateX => {
                affine(image, Affine { translate: [far(columns), 0.], ..Default::default() })
            }
            Change::TranslateY => affine(image, Affine { translate: [0., far(rows)], ..Default::default() }),
            Change::Rotate => rotate(image, 30. * strength, GridMode::Nearest),
            Change::Brightness => adjust_brightness(image, 1. + 0.9 * strength),
            Change::Color => adjust_saturation(image, 1. + 0.9 * strength),
            Change::Contrast => adjust_contrast(image, 1. + 0.9 * strength),
            Change::Sharpness => adjust_sharpness(image, 1. + 0.9 * strength),
            Change::Posterize => posterize(image, 8 - (4. * strength.abs()).round() as u32),
            Change::Solarize => solarize(image, 255. * (1. - strength.abs())),
            Change::AutoContrast => autocontrast(image),
            Change::Equalize => equalize(image),
        }
    }
}

impl<B: Backend> Transform<B> for RandAugment {
    fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>> {
        let strength = self.magnitude.min(30) as f64 / 30.;
        (0..self.num_ops).try_fold(image.clone(), |image, _| {
            let change = Change::ALL[rng.below(Change::ALL.len())];
            change.apply(&image, if rng.chance(0.5) { -strength } else { strength })
        })
    }
}
