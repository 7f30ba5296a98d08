//! Files: written to a temporary name and renamed, read without trust.
mod atomic;
mod checkpoint;
mod cursor;
mod graph;
pub mod idx;
mod limits;
mod mapped;
pub mod npy;
pub mod npz;
pub mod pth;
pub mod safetensors;
mod strided;
mod zip;

pub use atomic::write_atomic;
pub use checkpoint::Checkpoint;
pub use graph::Graph;
pub use limits::Limits;
