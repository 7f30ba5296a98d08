//! MNIST and Fashion-MNIST: 70,000 grey images of 28x28 in ten classes each, in the IDX format.
use super::pictures::{Pictures, pictures};
use crate::{Error, Result};
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
    let (shape, pixels) = idx(open(dataset, folder, &format!("{part}-images-idx3-ubyte"))?)?;
    let (labels_shape, labels) = idx(open(dataset, folder, &format!("{part}-labels-idx1-ubyte"))?)?;
    match (&shape[..], &labels_shape[..]) {
        (&[n, SIDE, SIDE], &[m]) if n == m => Ok(Pictures::new(pixels, labels, [1, SIDE, SIDE], mean, std)),
        _ => Err(Error::format(dataset, format!("images {shape:?} and labels {labels_shape:?} do not fit"))),
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

/// The sizes and bytes of an IDX file of unsigned bytes: two zeros, 8, the rank, and big-endian sizes.
fn idx(mut file: impl Read) -> Result<(Vec<usize>, Vec<u8>)> {
    let broken = |why: String| Error::format("idx", why);
    let mut magic = [0; 4];
    file.read_exact(&mut magic).map_err(|e| broken(format!("there is no header: {e}")))?;
    let [0, 0, 8, rank] = magic else {
        return Err(broken(format!("{magic:02x?} is not the start of a file of bytes")));
    };
    let mut shape = vec![];
    for _ in 0..rank {
        let mut size = [0; 4];
        file.read_exact(&mut size).map_err(|e| broken(format!("the header is cut off: {e}")))?;
        shape.push(u32::from_be_bytes(size) as usize);
    }
    let len = shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
    let len = len.ok_or_else(|| broken(format!("a shape of {shape:?} is too large")))?;
    // what the header says is not believed: no more is held than is really there
    let mut bytes = vec![];
    let read = file.take(len as u64 + 1).read_to_end(&mut bytes).map_err(|e| broken(e.to_string()))?;
    if read != len {
        return Err(broken(format!("{len} bytes are promised, and {read} are there")));
    }
    Ok((shape, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idx_files_are_not_trusted() {
        let good = [&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[1, 2, 3, 4, 5, 6]].concat();
        assert_eq!(idx(&good[..]).unwrap(), (vec![2, 3], vec![1, 2, 3, 4, 5, 6]));
        for len in 0..good.len() {
            assert!(idx(&good[..len]).is_err(), "{len} bytes");
        }
        assert!(idx(&[&good[..], &[7]].concat()[..]).is_err());
        assert!(idx(&[0u8, 0, 9, 1, 0, 0, 0, 0][..]).is_err());
        let huge = [&[0, 0, 8, 3][..], &[0xff; 12]].concat();
        assert!(idx(&huge[..]).is_err());
    }
}
