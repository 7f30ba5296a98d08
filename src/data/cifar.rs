//! CIFAR-10: 60,000 colour images of 32x32 in ten classes, in the binary version of the dataset.
use super::pictures::{Pictures, pictures};
use crate::{Error, Result};
use flate2::read::GzDecoder;
use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

/// How errors name it.
const CIFAR: &str = "cifar10";
/// The file in which it is on the network.
const ARCHIVE: &str = "cifar-10-binary.tar.gz";
/// The folder in the archive.
const INSIDE: &str = "cifar-10-batches-bin/";
/// Rows and columns of an image.
const SIDE: usize = 32;
/// A label and the bytes of an image.
const RECORD: usize = 1 + 3 * SIDE * SIDE;
/// How many records a file of the archive has.
const RECORDS: u64 = 10_000;
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

    /// Where its archive is on the network.
    pub const URL: &str = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";

    /// Fetches its archive into `folder`, unless it is there and right. `progress` is told how much of it is there, in
    /// `[0, 1]`.
    ///
    /// ```no_run
    /// use firesteel::data::Cifar10;
    /// Cifar10::download("data/cifar", |part| eprintln!("{:.0}%", part * 100.0))?;
    /// let (train, test) = (Cifar10::train("data/cifar")?, Cifar10::test("data/cifar")?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[cfg(feature = "download")]
    #[track_caller]
    pub fn download(folder: impl AsRef<Path>, mut progress: impl FnMut(f64)) -> Result<()> {
        let remote = super::Remote {
            url: Self::URL,
            bytes: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        };
        let all = remote.bytes as f64;
        super::download(remote, folder.as_ref().join(ARCHIVE), |bytes| progress(bytes as f64 / all))?;
        progress(1.);
        Ok(())
    }

    /// The 50,000 images to learn from, of `data_batch_1.bin` to `data_batch_5.bin` in `folder`, or in the archive there.
    #[track_caller]
    pub fn train(folder: impl AsRef<Path>) -> Result<Self> {
        let names = [1, 2, 3, 4, 5].map(|i| format!("data_batch_{i}.bin"));
        read(folder.as_ref(), &names)
    }

    /// The 10,000 images to test with, of `test_batch.bin` in `folder`, or in the archive there.
    #[track_caller]
    pub fn test(folder: impl AsRef<Path>) -> Result<Self> {
        read(folder.as_ref(), &["test_batch.bin".to_owned()])
    }
}

/// Each record is a label and then the red, the green and the blue bytes of an image.
#[track_caller]
fn read(folder: &Path, names: &[String]) -> Result<Cifar10> {
    let archive = folder.join(ARCHIVE);
    let plain = names.first().is_some_and(|name| folder.join(name).exists());
    let mut packed = match File::open(&archive) {
        Ok(file) if !plain => unpacked(file, names).map_err(|e| {
            let why = format!("{} is not the archive of the dataset: {e}", archive.display());
            Error::format(CIFAR, why).because(e)
        })?,
        _ => HashMap::new(),
    };
    let (mut pixels, mut labels) = (vec![], vec![]);
    for name in names {
        let path = folder.join(name);
        let broken = |why: String| Error::format(CIFAR, format!("{}: {why}", path.display()));
        let bytes = match packed.remove(name) {
            Some(bytes) => bytes,
            None => std::fs::read(&path).map_err(|e| {
                let (archive, path, url) = (archive.display(), path.display(), Cifar10::URL);
                let why = format!(
                    "neither {archive} nor {path} can be read: {e}: fetch the former from {url}, or by `download` with the feature of that name"
                );
                Error::io(CIFAR, why).because(e)
            })?,
        };
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

/// The files of these names in the archive, all of which have to be there. A tar is headers of 512 bytes, each before
/// the bytes of its file, which zeros fill up to as many again.
fn unpacked(archive: File, names: &[String]) -> io::Result<HashMap<String, Vec<u8>>> {
    const BLOCK: u64 = 512;
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut archive = GzDecoder::new(BufReader::new(archive));
    let (mut found, mut header) = (HashMap::new(), [0; BLOCK as usize]);
    while found.len() < names.len() {
        archive.read_exact(&mut header)?;
        let text = |field: &[u8]| {
            let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(field.get(..end).unwrap_or_default()).trim().to_owned()
        };
        let (path, size) = (text(&header[..100]), text(&header[124..136]));
        if path.is_empty() {
            let missing: Vec<_> = names.iter().filter(|name| !found.contains_key(*name)).cloned().collect();
            return Err(wrong(format!("it ends without {}", missing.join(", "))));
        }
        let size = u64::from_str_radix(&size, 8).map_err(|_| wrong(format!("{path} has no size")))?;
        let name = path.strip_prefix(INSIDE).unwrap_or(&path);
        let mut contents = vec![];
        if names.iter().any(|wanted| wanted == name) {
            if size > RECORDS * RECORD as u64 {
                return Err(wrong(format!("{path} has {size} bytes")));
            }
            if archive.by_ref().take(size).read_to_end(&mut contents)? as u64 != size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            found.insert(name.to_owned(), contents);
        } else {
            io::copy(&mut archive.by_ref().take(size), &mut io::sink())?;
        }
        let padding = size.next_multiple_of(BLOCK).wrapping_sub(size) % BLOCK;
        io::copy(&mut archive.by_ref().take(padding), &mut io::sink())?;
    }
    Ok(found)
}
