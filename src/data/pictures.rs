//! What the small image datasets have in common: bytes in memory, of one size, with labels.
use super::{Dataset, dataset::out_of_range};
use crate::{Data, Result, TensorData};

/// Images of one size with labels.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// Channel by channel and row by row, one image after another.
    pixels: Vec<u8>,
    labels: Vec<u8>,
    /// Channels, rows and columns.
    size: [usize; 3],
    /// Of each channel, over the training set, in `[0, 1]`.
    mean: &'static [f32],
    std: &'static [f32],
    /// Whether images stay bytes.
    pub raw: bool,
}

impl Pictures {
    pub fn new(
        pixels: Vec<u8>,
        labels: Vec<u8>,
        size: [usize; 3],
        mean: &'static [f32],
        std: &'static [f32],
    ) -> Self {
        Self { pixels, labels, size, mean, std, raw: false }
    }

    pub fn pixels(&self, index: usize) -> Result<&[u8]> {
        let len = self.size.iter().product();
        let start = index.checked_mul(len);
        let pixels = start.and_then(|start| self.pixels.get(start..)?.get(..len));
        pixels.ok_or_else(|| out_of_range(index, self.labels.len()))
    }
}

impl Dataset for Pictures {
    type Item = (TensorData, i64);

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn item(&self, index: usize) -> Result<(TensorData, i64)> {
        let pixels = self.pixels(index)?;
        let label = self.labels.get(index).copied().ok_or_else(|| out_of_range(index, self.labels.len()))?;
        let data = if self.raw {
            Data::U8(pixels.to_vec())
        } else {
            let [_, rows, columns] = self.size;
            let channels = pixels.chunks_exact(rows * columns).zip(self.mean.iter().zip(self.std));
            let normal = channels.flat_map(|(channel, (mean, std))| {
                channel.iter().map(move |&p| (f32::from(p) / 255. - mean) / std)
            });
            Data::F32(normal.collect())
        };
        Ok((TensorData::new(self.size, data)?, label.into()))
    }
}

/// A dataset of pictures.
macro_rules! pictures {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Images are F32, normalised to mean 0 and variance 1 over the training set; [`raw`](Self::raw) ones are
        /// bytes, for the transforms of [`vision`](crate::vision).
        #[derive(Clone, Debug)]
        pub struct $name($crate::data::pictures::Pictures);

        impl $name {
            /// The images as bytes (U8) from 0 to 255.
            pub fn raw(mut self) -> Self {
                self.0.raw = true;
                self
            }

            /// The bytes of an image, channel by channel and row by row.
            pub fn pixels(&self, index: usize) -> $crate::Result<&[u8]> {
                self.0.pixels(index)
            }
        }

        impl $crate::data::Dataset for $name {
            type Item = ($crate::TensorData, i64);
            fn len(&self) -> usize {
                self.0.len()
            }
            fn item(&self, index: usize) -> $crate::Result<Self::Item> {
                self.0.item(index)
            }
        }
    };
}

pub(super) use pictures;
