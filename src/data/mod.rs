//! Datasets, samplers, and the loaders that make batches of them on other threads.
mod ahead;
mod cifar;
#[cfg(any(feature = "vision", feature = "audio"))]
mod classes;
mod compose;
#[cfg(feature = "csv")]
mod csv;
mod dataset;
#[cfg(feature = "download")]
mod download;
mod file;
#[cfg(feature = "vision")]
mod image_folder;
mod iterable;
mod lines;
mod loader;
pub mod mnist;
mod pictures;
mod rng;
mod sample;
mod sampler;
mod tensors;
#[cfg(feature = "audio")]
mod wav_folder;

pub use cifar::Cifar10;
pub use compose::{ConcatDataset, Part, Subset, Transformed, random_split};
#[cfg(feature = "csv")]
pub use csv::{CsvDataset, CsvOptions};
pub use dataset::Dataset;
#[cfg(feature = "download")]
pub use download::{Remote, download};
#[cfg(feature = "vision")]
pub use image_folder::ImageFolder;
pub use iterable::{IterableDataset, Shuffled};
pub use lines::{TextLines, TextStream};
pub use loader::{Batches, DataLoader, Loader, StreamLoader};
pub use mnist::{FashionMnist, Mnist};
pub use rng::Rng;
pub use sample::{Batch, Collate, DefaultCollate, Sample};
pub use sampler::{
    BatchSampler, DistributedSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler,
    WeightedRandomSampler,
};
pub use tensors::{Rows, TensorDataset};
#[cfg(feature = "audio")]
pub use wav_folder::WavFolder;
