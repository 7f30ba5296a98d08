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

/// The two parts of a dataset in the files of MNIST, and where these are on the network.
macro_rules! parts {
    ($name:ident $op:literal $mean:expr, $std:expr, $url:literal { $($file:literal $bytes:literal $sha256:literal,)* }) => {
        impl $name {
            /// Where its files are on the network.
            pub const URL: &str = $url;

            /// Fetches its four files into `folder`, unless they are there and right. `progress` is told how much of all
            /// of them is there, in `[0, 1]`.
            #[cfg(feature = "download")]
            #[track_caller]
            pub fn download(folder: impl AsRef<Path>, mut progress: impl FnMut(f64)) -> Result<()> {
                let (all, mut before) = (0 $(+ $bytes)*, 0);
                $(
                    let url = &format!("{}{}", Self::URL, $file);
                    let remote = super::Remote { url, bytes: $bytes, sha256: $sha256 };
                    super::download(remote, folder.as_ref().join($file), |bytes| {
                        progress((before + bytes) as f64 / f64::from(all));
                    })?;
                    before += $bytes;
                )*
                progress(before as f64 / f64::from(all));
                Ok(())
            }

            /// The 60,000 images to learn from, of the two `train-` files in `folder`, gzipped or plain.
            #[track_caller]
            pub fn train(folder: impl AsRef<Path>) -> Result<Self> {
                read([$op, $url], folder.as_ref(), "train", &[$mean], &[$std]).map(Self)
            }

            /// The 10,000 images to test with, of the two `t10k-` files in `folder`, gzipped or plain.
            #[track_caller]
            pub fn test(folder: impl AsRef<Path>) -> Result<Self> {
                read([$op, $url], folder.as_ref(), "t10k", &[$mean], &[$std]).map(Self)
            }
        }
    };
}

parts! {
    Mnist "mnist" MEAN, STD, "https://ossci-datasets.s3.amazonaws.com/mnist/" {
        "train-images-idx3-ubyte.gz" 9_912_422 "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz" 28_881 "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz" 1_648_877 "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz" 4_542 "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    }
}

parts! {
    FashionMnist "fashion_mnist" 0.2860, 0.3530, "https://fashion-mnist.s3.eu-central-1.amazonaws.com/" {
        "train-images-idx3-ubyte.gz" 26_421_880 "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz" 29_515 "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz" 4_422_102 "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz" 5_148 "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    }
}

#[track_caller]
fn read(
    [dataset, url]: [&'static str; 2],
    folder: &Path,
    part: &str,
    mean: &'static [f32],
    std: &'static [f32],
) -> Result<Pictures> {
    let array =
        |kind| idx::read(open([dataset, url], folder, &format!("{part}-{kind}-ubyte"))?, Limits::default());
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
fn open([dataset, url]: [&'static str; 2], folder: &Path, name: &str) -> Result<Box<dyn Read>> {
    let (plain, zipped) = (folder.join(name), folder.join(format!("{name}.gz")));
    if let Ok(file) = File::open(&zipped) {
        return Ok(Box::new(GzDecoder::new(BufReader::new(file))));
    }
    match File::open(&plain) {
        Ok(file) => Ok(Box::new(BufReader::new(file))),
        Err(e) => {
            let why = format!(
                "neither {} nor {} can be read: {e}: fetch the former from {url}, or by `download` with the feature of that name",
                zipped.display(),
                plain.display()
            );
            Err(Error::io(dataset, why).because(e))
        }
    }
}
