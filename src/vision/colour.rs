//! Brightness, contrast, saturation and hue.
use super::{
    Transform,
    transform::{as_real, size},
};
use crate::{Backend, Error, Result, Tensor, data::Rng};

/// `factor · image + (1 - factor) · other`, within what an image can hold.
pub(super) fn blend<B: Backend>(
    image: &Tensor<B>,
    other: &Tensor<B>,
    factor: f64,
    most: f64,
) -> Result<Tensor<B>> {
    (image.lazy() * factor + other.lazy() * (1. - factor)).eval()?.clamp(0.0, most)
}

/// The weights by which colours look bright: `0.2989 r + 0.587 g + 0.114 b`; grey images stay as they are.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.rgb_to_grayscale.html>
#[track_caller]
pub fn rgb_to_grayscale<B: Backend>(image: &Tensor<B>) -> Result<Tensor<B>> {
    if size("rgb_to_grayscale", image)?.0 == 1 {
        return Ok(image.clone());
    }
    let [r, g, b] = channels("rgb_to_grayscale", image)?;
    let grey = as_real("rgb_to_grayscale", &Tensor::stack(&[&r, &g, &b], 0)?, |colours, _| {
        let [r, g, b] = [0, 1, 2].map(|i| colours.select(0, i));
        (r?.lazy() * 0.2989 + g?.lazy() * 0.587 + b?.lazy() * 0.114).eval()
    })?;
    grey.unsqueeze(-3)
}

/// The three colours, without their dim.
fn channels<B: Backend>(op: &'static str, image: &Tensor<B>) -> Result<[Tensor<B>; 3]> {
    match size(op, image)? {
        (3, ..) => Ok([image.select(-3, 0)?, image.select(-3, 1)?, image.select(-3, 2)?]),
        (n, ..) => Err(Error::shape(op, format!("colours are three channels, not {n}"))),
    }
}

fn factor(op: &'static str, factor: f64) -> Result<()> {
    if factor.is_finite() && factor >= 0. {
        return Ok(());
    }
    Err(Error::value(op, format!("a factor is finite and not negative, not {factor}")))
}

/// Brighter images (a factor above 1) or darker ones; 0 is black.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_brightness.html>
#[track_caller]
pub fn adjust_brightness<B: Backend>(image: &Tensor<B>, brightness: f64) -> Result<Tensor<B>> {
    factor("adjust_brightness", brightness)?;
    as_real("adjust_brightness", image, |image, most| (image * brightness)?.clamp(0.0, most))
}

/// More contrast (a factor above 1) or less; 0 is grey as the mean.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_contrast.html>
#[track_caller]
pub fn adjust_contrast<B: Backend>(image: &Tensor<B>, contrast: f64) -> Result<Tensor<B>> {
    factor("adjust_contrast", contrast)?;
    let grey = rgb_to_grayscale(image)?;
    as_real("adjust_contrast", image, |image, most| {
        let mean = grey.to(image.dtype())?.mean(crate::keepdim([-3, -2, -1]))?;
        blend(image, &mean.expand_as(image)?, contrast, most)
    })
}

/// More colour (a factor above 1) or less; 0 is grey.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_saturation.html>
#[track_caller]
pub fn adjust_saturation<B: Backend>(image: &Tensor<B>, saturation: f64) -> Result<Tensor<B>> {
    factor("adjust_saturation", saturation)?;
    let grey = rgb_to_grayscale(image)?;
    as_real("adjust_saturation", image, |image, most| {
        blend(image, &grey.to(image.dtype())?.expand_as(image)?, saturation, most)
    })
}

/// Other colours: the hue turned by a part of the circle, in `[-0.5, 0.5]`.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_hue.html>
#[track_caller]
pub fn adjust_hue<B: Backend>(image: &Tensor<B>, hue: f64) -> Result<Tensor<B>> {
    if !(-0.5..=0.5).contains(&hue) {
        return Err(Error::value("adjust_hue", format!("a turn of the hue is in [-0.5, 0.5], not {hue}")));
    }
    if size("adjust_hue", image)?.0 == 1 {
        return Ok(image.clone());
    }
    as_real("adjust_hue", image, |image, most| {
        let [r, g, b] = channels("adjust_hue", &(image / most)?)?;
        let most_of = r.maximum(&g)?.maximum(&b)?;
        let range = (&most_of - &r.minimum(&g)?.minimum(&b)?)?;
        // which sixth of the circle, from red on: by the largest colour and the two others; grey has none
        let divisor = range.eq(0.0)?.where_(1.0, &range)?;
        let from_red = ((&g - &b)? / &divisor)?;
        let from_green = (((&b - &r)? / &divisor)? + 2.0)?;
        let from_blue = (((&r - &g)? / &divisor)? + 4.0)?;
        let sixths = r.eq(&most_of)?.where_(&from_red, &g.eq(&most_of)?.where_(&from_green, &from_blue)?)?;
        let turned = (sixths + 6.0 * hue)?;
        // v - range · max(0, min(1, k, 4 - k)) with k = (n + sixths) mod 6, and n = 5, 3, 1 of red, green, blue
        let colour = |n: f64| -> Result<Tensor<B>> {
            let k = (&turned + n)?.remainder(6.0)?;
            let fall = k.minimum(&k.rsub(4.0)?)?.clamp(0.0, 1.0)?;
            &most_of - &(&range * &fall)?
        };
        let turned = Tensor::stack(&[&colour(5.)?, &colour(3.)?, &colour(1.)?], -3)?;
        if most == 1. { Ok(turned) } else { (turned * most)?.round() }
    })
}

/// Changes brightness, contrast, saturation and hue at random, in a random order: the first three by a factor from
/// `1 - x` to `1 + x`, the hue by a turn from `-x` to `x`.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ColorJitter.html>
#[derive(Clone, Copy, Debug, Default)]
pub struct ColorJitter {
    /// How much brighter or darker.
    pub brightness: f64,
    /// How much more or less contrast.
    pub contrast: f64,
    /// How much more or less colour.
    pub saturation: f64,
    /// How far the hue turns, up to 0.5.
    pub hue: f64,
}

impl<B: Backend> Transform<B> for ColorJitter {
    fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>> {
        let mut order = [0, 1, 2, 3];
        rng.shuffle(&mut order);
        let [brightness, contrast, saturation] = [self.brightness, self.contrast, self.saturation]
            .map(|x| rng.uniform_in((1. - x).max(0.), 1. + x));
        let hue = rng.uniform_in(-self.hue, self.hue);
        order.into_iter().try_fold(image.clone(), |image, change| match change {
            0 if self.brightness > 0. => adjust_brightness(&image, brightness),
            1 if self.contrast > 0. => adjust_contrast(&image, contrast),
            2 if self.saturation > 0. => adjust_saturation(&image, saturation),
            3 if self.hue > 0. => adjust_hue(&image, hue),
            _ => Ok(image),
        })
    }
}
