//! Datasets, and the loader that makes batches of them on other threads.
mod dataset;
mod loader;
pub mod mnist;
mod sample;

pub use dataset::{Dataset, Subset};
pub use loader::{Batches, DataLoader};
pub use mnist::Mnist;
pub use sample::{Batch, Sample};
