//! Files: written to a temporary name and renamed, read without trust.
mod atomic;
pub mod safetensors;

pub use atomic::write_atomic;
