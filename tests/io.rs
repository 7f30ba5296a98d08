//! Files: those of PyTorch, NumPy and safetensors, checkpoints of trainings, and hostile ones.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

#[path = "io/checkpoint.rs"]
mod checkpoint;
#[path = "io/graph.rs"]
mod graph;
#[path = "io/hostile.rs"]
mod hostile;
#[path = "io/memory.rs"]
mod memory;
#[path = "io/numpy.rs"]
mod numpy;
#[path = "io/pth.rs"]
mod pth;
#[path = "io/safetensors.rs"]
mod safetensors;

use std::path::{Path, PathBuf};

/// A file of `tests/data`.
fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A name for a file that no other run has.
fn temporary(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("firesteel-io-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// Removes such a file; where `FIRESTEEL_KEEP` names a folder, it goes there, for `tests/data/check.py`.
fn done_with(path: &Path) {
    if let Some(folder) = std::env::var_os("FIRESTEEL_KEEP") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(path, Path::new(&folder).join(path.file_name().unwrap())).unwrap();
    }
    std::fs::remove_file(path).unwrap();
}
