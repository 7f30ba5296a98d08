//! What transforms are, and those that every pipeline begins and ends with.
use crate::{Backend, DType, Error, Result, Tensor, data::Rng};

/// Changes images `(.., channels, rows, columns)`: one, or a batch whose images are then all changed alike. U8 goes
/// from 0 to 255, real numbers from 0 to 1.
pub trait Transform<B: Backend>: Send + Sync {
    /// The changed images. What is left to chance goes by the numbers.
    fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>>;
}

/// Transforms one after another.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html>
///
/// ```
/// use firesteel::{TensorData, data::{DataLoader, Dataset}, prelude::*};
/// use firesteel::vision::{CenterCrop, Compose, Normalize, RandomHorizontalFlip, ToTensor, Transform};
/// let transform = Compose::new()
///     .then(ToTensor)
///     .then(CenterCrop::new([2, 2]))
///     .then(RandomHorizontalFlip::default())
///     .then(Normalize::new([0.5], [0.5])?);
/// let images = vec![TensorData::new([1, 4, 4], firesteel::Data::U8(vec![255; 16]))?; 3];
/// let dataset = images.map(move |image, rng| transform.apply(&Tensor::from_data(image, &Cpu)?, rng));
/// for batch in DataLoader::new(dataset, 3)?.iter(0, &Cpu) {
///     assert_eq!(batch?.to_vec::<f32>()?, [1.0; 12]);
/// }
/// # Ok::<(), firesteel::Error>(())
/// ```
pub struct Compose<B: Backend>(Vec<Box<dyn Transform<B>>>);

impl<B: Backend> Compose<B> {
    /// No transforms yet.
    #[allow(clippy::new_without_default)] // a pipeline of nothing is only a beginning
    pub fn new() -> Self {
        Self(vec![])
    }

    /// Those so far, and then another.
    pub fn then(mut self, transform: impl Transform<B> + 'static) -> Self {
        self.0.push(Box::new(transform));
        self
    }
}

impl<B: Backend> Transform<B> for Compose<B> {
    fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>> {
        self.0.iter().try_fold(image.clone(), |image, transform| transform.apply(&image, rng))
    }
}

/// Makes real numbers from 0 to 1 of U8; leaves real ones as they are.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html>
#[derive(Clone, Copy, Debug, Default)]
pub struct ToTensor;

impl<B: Backend> Transform<B> for ToTensor {
    fn apply(&self, image: &Tensor<B>, _: &mut Rng) -> Result<Tensor<B>> {
        match image.dtype() {
            DType::U8 => image.to(DType::F32)? / 255.0,
            dtype if dtype.is_float() => Ok(image.clone()),
            dtype => Err(Error::dtype("to_tensor", format!("images are uint8 or real numbers, not {dtype}"))),
        }
    }
}

/// `(x - mean) / std` of each channel.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html>
#[derive(Clone, Debug)]
pub struct Normalize {
    mean: Vec<f64>,
    std: Vec<f64>,
}

impl Normalize {
    /// A mean and a deviation for each channel, or one for all.
    #[track_caller]
    pub fn new(mean: impl Into<Vec<f64>>, std: impl Into<Vec<f64>>) -> Result<Self> {
        let (mean, std) = (mean.into(), std.into());
        if mean.len() != std.len() || mean.is_empty() || std.contains(&0.) {
            let why = format!("means {mean:?} and deviations {std:?} have to be as many, and these not zero");
            return Err(Error::value("normalize", why));
        }
        Ok(Self { mean, std })
    }
}

impl<B: Backend> Transform<B> for Normalize {
    fn apply(&self, image: &Tensor<B>, _: &mut Rng) -> Result<Tensor<B>> {
        let channels = size("normalize", image)?.0;
        if !image.dtype().is_float() {
            let why = format!("{} is not of real numbers: `ToTensor` makes them", image.meta());
            return Err(Error::dtype("normalize", why));
        }
        if self.mean.len() != 1 && self.mean.len() != channels {
            let why = format!("{} means do not fit images of {channels} channels", self.mean.len());
            return Err(Error::shape("normalize", why));
        }
        let column = |numbers: &Vec<f64>| {
            Tensor::new(numbers, (image.dtype(), image.backend()))?.reshape([numbers.len(), 1, 1])
        };
        (image - &column(&self.mean)?)? / &column(&self.std)?
    }
}

/// Channels, rows and columns of images.
#[track_caller]
pub(super) fn size<B: Backend>(op: &'static str, image: &Tensor<B>) -> Result<(usize, usize, usize)> {
    match image.shape()[..] {
        [.., channels, rows, columns] => Ok((channels, rows, columns)),
        _ => {
            Err(Error::shape(op, format!("an image is (.., channels, rows, columns), not {}", image.shape())))
        }
    }
}

/// What real numbers make of images, whatever they hold: U8 becomes real, from 0 to the given `most`, and U8 again.
pub(super) fn as_real<B: Backend>(
    op: &'static str,
    image: &Tensor<B>,
    change: impl FnOnce(&Tensor<B>, f64) -> Result<Tensor<B>>,
) -> Result<Tensor<B>> {
    match image.dtype() {
        DType::U8 => change(&image.to(DType::F32)?, 255.)?.to(DType::U8),
        dtype if dtype.is_float() => change(image, 1.),
        dtype => Err(Error::dtype(op, format!("images are uint8 or real numbers, not {dtype}"))),
    }
}

/// What a change of `(images, channels, rows, columns)` makes of images with other dims before these.
pub(super) fn as_batch<B: Backend>(
    op: &'static str,
    image: &Tensor<B>,
    change: impl FnOnce(&Tensor<B>) -> Result<Tensor<B>>,
) -> Result<Tensor<B>> {
    let (channels, rows, columns) = size(op, image)?;
    let before = &image.shape()[..image.rank() - 3];
    let images: usize = before.iter().product();
    let changed = change(&image.reshape([images, channels, rows, columns])?)?;
    changed.reshape([before, &changed.shape()[1..]].concat())
}
