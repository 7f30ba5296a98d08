//! Parts of images, mirrored images, and parts that are erased.
use super::{Resize, Transform, transform::size};
use crate::{Backend, Error, Index, InterpolateMode, PadMode, Result, Tensor, data::Rng};

/// `rows` and `columns` of images from `top` and `left`; what lies outside is 0.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.crop.html>
///
/// ```
/// use firesteel::{prelude::*, vision::crop};
/// let image = Tensor::new([[[1, 2], [3, 4]]], &Cpu)?;
/// assert_eq!(crop(&image, [1, -1], [1, 3])?.to_vec::<i64>()?, [0, 3, 4]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn crop<B: Backend>(
    image: &Tensor<B>,
    [top, left]: [isize; 2],
    [rows, columns]: [usize; 2],
) -> Result<Tensor<B>> {
    let (_, height, width) = size("crop", image)?;
    // before the first, and after the last
    let around = |start: isize, len: usize, size: usize| {
        let end = start.checked_add_unsigned(len)?;
        Some([start.checked_neg()?, end.checked_sub_unsigned(size)?])
    };
    let Some(([a, b], [c, d])) = around(left, columns, width).zip(around(top, rows, height)) else {
        return Err(Error::value(
            "crop",
            format!("{rows} x {columns} from ({top}, {left}) is out of all bounds"),
        ));
    };
    image.pad(&[a, b, c, d], PadMode::default())
}

/// The middle of images; where they are smaller, zeros are around them.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.CenterCrop.html>
#[derive(Clone, Copy, Debug)]
pub struct CenterCrop {
    size: [usize; 2],
}

impl CenterCrop {
    /// Rows and columns of the middle.
    pub fn new(size: [usize; 2]) -> Self {
        Self { size }
    }
}

impl<B: Backend> Transform<B> for CenterCrop {
    fn apply(&self, image: &Tensor<B>, _: &mut Rng) -> Result<Tensor<B>> {
        let (_, height, width) = size("center_crop", image)?;
        let start = |size: usize, len: usize| {
            if size >= len {
                // a half goes to the even number
                ((size - len) as f64 / 2.).round_ties_even() as isize
            } else {
                -(((len - size) / 2) as isize)
            }
        };
        let [rows, columns] = self.size;
        crop(image, [start(height, rows), start(width, columns)], self.size)
    }
}

/// A part of images that is anywhere in them.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html>
#[derive(Clone, Copy, Debug)]
pub struct RandomCrop {
    /// Rows and columns of the part.
    pub size: [usize; 2],
    /// How many zeros are put around the images first: none unless it is set.
    pub padding: usize,
}

impl RandomCrop {
    /// Rows and columns of the part.
    pub fn new(size: [usize; 2]) -> Self {
        Self { size, padding: 0 }
    }
}

impl<B: Backend> Transform<B> for RandomCrop {
    fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>> {
        let (_, height, width) = size("random_crop", image)?;
        let Self { size: [rows, columns], padding } = *self;
        // places for the part, along one dim
        let places = |size: usize, len: usize| size.checked_add(padding.checked_mul(2)?)?.checked_sub(len);
        let Some((down, right)) = places(height, rows).zip(places(width, columns)) else {
            let why = format!("{rows} x {columns} is more than {height} x {width} with {padding} around it");
            return Err(Error::shape("random_crop", why));
        };
        let mut start = |places: usize| rng.below(places + 1) as isize - padding as isize;
        let start = [start(down), start(right)];
        crop(image, start, self.size)
    }
}

/// A part of images of any size and ratio, made to one size: what classifiers of photographs learn from.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomResizedCrop.html>
///
/// ```
/// use firesteel::{data::Rng, prelude::*, vision::{RandomResizedCrop, Transform}};
/// let image = Tensor::zeros([3, 40, 60], &Cpu)?;
/// let part = RandomResizedCrop::new([22, 22]).apply(&image, &mut Rng::new(0))?;
/// assert_eq!(part.shape(), &[3, 22, 22]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RandomResizedCrop {
    /// Rows and columns that come out.
    pub size: [usize; 2],
    /// How large the part is, of the whole: from 0.08 to 1 unless it is set.
    pub scale: (f64, f64),
    /// How wide it is for its height: from 3/4 to 4/3 unless it is set.
    pub ratio: (f64, f64),
    /// How what lies between pixels is found: by lines unless it is set.
    pub mode: InterpolateMode,
}

impl RandomResizedCrop {
    /// To these rows and columns.
    pub fn new(size: [usize; 2]) -> Self {
        Self { size, scale: (0.08, 1.), ratio: (3. / 4., 4. / 3.), mode: InterpolateMode::Bilinear }
    }

    /// Where a part begins, and its rows and columns.
    fn part(&self, height: usize, width: usize, rng: &mut Rng) -> ([usize; 2], [usize; 2]) {
        // a part that does not fit is drawn again, but not forever
        for _ in 0..10 {
            let area = height as f64 * width as f64 * rng.uniform_in(self.scale.0, self.scale.1);
            let ratio = rng.uniform_in(self.ratio.0.ln(), self.ratio.1.ln()).exp();
            let (rows, columns) =
                ((area / ratio).sqrt().round() as usize, (area * ratio).sqrt().round() as usize);
            if (1..=height).contains(&rows) && (1..=width).contains(&columns) {
                let start = [rng.below(height - rows + 1), rng.below(width - columns + 1)];
                return (start, [rows, columns]);
            }
        }
        // then it is the middle, as much of it as the ratios allow
        let whole = width as f64 / height as f64;
        let (rows, columns) = if whole < self.ratio.0 {
            ((width as f64 / self.ratio.0).round() as usize, width)
        } else if whole > self.ratio.1 {
            (height, (height as f64 * self.ratio.1).round() as usize)
        } else {
            (height, width)
        };
        let (rows, columns) = (rows.min(height), columns.min(width));
        ([(height - rows) / 2, (width - columns) / 2], [rows, columns])
    }
}

impl<B: Backend> Transform<B> for RandomResizedCrop {
    fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>> {
        let (_, height, width) = size("random_resized_crop", image)?;
        if height == 0 || width == 0 || !(self.ratio.0 > 0. && self.ratio.1 > 0.) {
            let why = format!("{height} x {width} has no part of a ratio from {:?}", self.ratio);
            return Err(Error::value("random_resized_crop", why));
        }
        let ([top, left], [rows, columns]) = self.part(height, width, rng);
        let part = image.narrow(-2, top, rows)?.narrow(-1, left, columns)?;
        Resize::new(self.size).mode(self.mode).apply(&part, rng)
    }
}

macro_rules! flips {
    ($($name:ident $dim:literal $how:literal;)*) => {$(
        #[doc = concat!("Mirrors images with this probability, ", $how, ".\n<https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.", stringify!($name), ".html>")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub f64);

        impl Default for $name {
            /// Every second time.
            fn default() -> Self {
                Self(0.5)
            }
        }

        impl<B: Backend> Transform<B> for $name {
            fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>> {
                if rng.chance(self.0) { image.flip($dim) } else { Ok(image.clone()) }
            }
        }
    )*};
}

flips! {
    RandomHorizontalFlip -1 "left for right";
    RandomVerticalFlip -2 "top for bottom";
}

/// Puts a number in place of a part of images, anywhere in them. Zhong et al.,
/// [Random erasing data augmentation](https://arxiv.org/abs/1708.04896), 2017.
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.RandomErasing.html>
#[derive(Clone, Copy, Debug)]
pub struct RandomErasing {
    /// How likely it is.
    pub p: f64,
    /// How large the part is, of the whole.
    pub scale: (f64, f64),
    /// How high it is for its width.
    pub ratio: (f64, f64),
    /// The number.
    pub value: f64,
}

impl Default for RandomErasing {
    /// Every second time, from a 50th to a third of the image, with zeros.
    fn default() -> Self {
        Self { p: 0.5, scale: (0.02, 0.33), ratio: (0.3, 3.3), value: 0. }
    }
}

impl<B: Backend> Transform<B> for RandomErasing {
    fn apply(&self, image: &Tensor<B>, rng: &mut Rng) -> Result<Tensor<B>> {
        let (_, height, width) = size("random_erasing", image)?;
        if !rng.chance(self.p) {
            return Ok(image.clone());
        }
        // a part that does not fit is drawn again, but not forever
        for _ in 0..10 {
            let area = (height * width) as f64 * rng.uniform_in(self.scale.0, self.scale.1);
            let ratio = rng.uniform_in(self.ratio.0.ln(), self.ratio.1.ln()).exp();
            let (rows, columns) =
                ((area * ratio).sqrt().round() as usize, (area / ratio).sqrt().round() as usize);
            if rows < height && columns < width {
                let (top, left) = (rng.below(height - rows + 1), rng.below(width - columns + 1));
                let mut erased = image.clone();
                let part = vec![Index::Ellipsis, (top..top + rows).into(), (left..left + columns).into()];
                erased.assign(part, self.value)?;
                return Ok(erased);
            }
        }
        Ok(image.clone())
    }
}
