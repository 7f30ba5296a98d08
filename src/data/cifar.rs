//! CIFAR-10: 60,000 colour images of 32x32 in ten classes, in the binary version of the dataset.
use super::pictures::{Pictures, pictures};
use crate::{Error, Result};
use std::path::Path;

/// Rows and columns of an image.
const SIDE: usize = 32;
const MEAN: [f32; 3] = [0.4914, 0.4822, 0.4465];
const STD: [f32; 3] = [0.2470, 0.2435, 0.2616];

pictures! {
    /// Animals and vehicles as `(image (3, 32, 32), label)`. Krizhevsky,
    /// [Learning multiple layers of features from tiny images](https://www.cs.toronto.edu/~kriz/cifar.html), 2009.
    Cifar10
}

impl Cifar10 {
    /// What the labels mean.
    pub const CLASSES: [&str; 10] =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// The 50,000 images to learn from, of `data_batch_1.bin` to `data_batch_5.bin` in `folder`
    /// (`cifar-10-batches-bin` of the archive).
    #[track_caller]
    pub fn train(folder: impl AsRef<Path>) -> Result<Self> {
        let names = [1, 2, 3, 4, 5].map(|i| format!("data_batch_{i}.bin"));
        read(folder.as_ref(), &names)
    }

    /// The 10,000 images to test with, of `test_batch.bin` in `folder`.
    #[track_caller]
    pub fn test(folder: impl AsRef<Path>) -> Result<Self> {
        read(folder.as_ref(), &["test_batch.bin".to_owned()])
    }
}

/// Each record is a label and then the red, the green and the blue bytes of an image.
#[track_caller]
fn read(folder: &Path, names: &[String]) -> Result<Cifar10> {
    const RECORD: usize = 1 + 3 * SIDE * SIDE;
    let (mut pixels, mut labels) = (vec![], vec![]);
    for name in names {
        let path = folder.join(name);
        let broken = |why: String| Error::format("cifar10", format!("{}: {why}", path.display()));
        let bytes = super::file::read("cifar10", &path)?;
        if !bytes.len().is_multiple_of(RECORD) {
            return Err(broken(format!("{} bytes are not whole records of {RECORD}", bytes.len())));
        }
        for record in bytes.chunks_exact(RECORD) {
            let [label, image @ ..] = record else { continue };
            if *label > 9 {
                return Err(broken(format!("{label} is not one of the ten labels")));
            }
            labels.push(*label);
            pixels.extend_from_slice(image);
        }
    }
    Ok(Cifar10(Pictures::new(pixels, labels, [3, SIDE, SIDE], &MEAN, &STD)))
}
