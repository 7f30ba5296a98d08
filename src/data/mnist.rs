//! MNIST and Fashion-MNIST: 70,000 grey images of 28x28 in ten classes each, in the IDX format.
use super::pictures::{Pictures, pictures};
use crate::{
    Data, Error, Result,
    io::{Limits, idx},
};
use flate2::read::GzDecoder;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// Rows and columns of an image.
pub const SIDE: usize = 28;
/// The mean of MNIST's training pixels, in `[0, 1]`.
pub const MEAN: f32 = 0.1307;
/// The standard deviation of MNIST's training pixels.
pub const STD: f32 = 0.3081;

pictures! {
    /// Handwritten digits as `(image (1, 28, 28), label)`. LeCun et al.,
    /// [The MNIST database](https://yann.lecun.org/exdb/mnist/), 1998.
    Mnist
}

pictures! {
    /// Pieces of clothing as `(image (1, 28, 28), label)`. Xiao et al.,
    /// [Fashion-MNIST](https://arxiv.org/abs/1708.07747), 2017.
    FashionMnist
}

impl FashionMnist {
    /// What the labels mean.
    pub const CLASSES: [&str; 10] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ];
}

/// The two parts of a dataset in the files of MNIST.
macro_rules! parts {
    ($name:ident $op:literal $mean:expr, $std:expr) => {
        impl $name {
            /// The 60,000 images to learn from, of the two `train-` files in `folder`, gzipped or plain.
            #[track_caller]
            pub fn train(folder: impl AsRef<Path>) -> Result<Self> {
                read($op, folder.as_ref(), "train", &[$mean], &[$std]).map(Self)
            }

            /// The 10,000 images to test with, of the two `t10k-` files in `folder`, gzipped or plain.
            #[track_caller]
            pub fn test(folder: impl AsRef<Path>) -> Result<Self> {
                read($op, folder.as_ref(), "t10k", &[$mean], &[$std]).map(Self)
            }
        }
    };
}

parts! { Mnist "mnist" MEAN, STD }
parts! { FashionMnist "fashion_mnist" 0.2860, 0.3530 }

#[track_caller]
fn read(
    dataset: &'static str,
    folder: &Path,
    part: &str,
    mean: &'static [f32],
    std: &'static [f32],
) -> Result<Pictures> {
    let array = |kind| idx::read(open(dataset, folder, &format!("{part}-{kind}-ubyte"))?, Limits::default());
    let (images, labels) = (array("images-idx3")?, array("labels-idx1")?);
    let (of_images, of_labels) = (images.meta(), labels.meta());
    match (&of_images.shape[..], images.into_data(), &of_labels.shape[..], labels.into_data()) {
        (&[n, SIDE, SIDE], Data::U8(pixels), &[m], Data::U8(labels)) if n == m => {
            Ok(Pictures::new(pixels, labels, [1, SIDE, SIDE], mean, std))
        }
        _ => Err(Error::format(dataset, format!("images ({of_images}) and labels ({of_labels}) do not fit"))),
    }
}

#[track_caller]
fn open(dataset: &'static str, folder: &Path, name: &str) -> Result<Box<dyn Read>> {
    let (plain, zipped) = (folder.join(name), folder.join(format!("{name}.gz")));
    if let Ok(file) = File::open(&zipped) {
        return Ok(Box::new(GzDecoder::new(BufReader::new(file))));
    }
    match File::open(&plain) {
        Ok(file) => Ok(Box::new(BufReader::new(file))),
        Err(e) => {
            let why = format!("neither {} nor {} can be read: {e}", zipped.display(), plain.display());
            Err(Error::io(dataset, why).because(e))
        }
    }
}
