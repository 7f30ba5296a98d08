//! PyTorch's own files, `.pth` and `.pt`: what `torch.save` writes and `torch.load` reads.
//!
//! They hold Python's pickles, which can run any code when Python loads them. Here they cannot: a pickle builds
//! containers, numbers, texts and tensors, and a file that names anything else is an error. No length in a file is
//! believed, and what it unfolds to has [`Limits`].
//!
//! Both formats are read, that of zip archives (since 1.6) and the legacy one. What is written, PyTorch loads with
//! `weights_only=True`.
//!
//! ```python
//! torch.save(model.state_dict(), "model.pth")      # pth::load reads it
//! torch.load("model.pth", weights_only=True)       # reads what pth::save wrote
//! ```
//!
//! Files are mapped to memory: whoever overwrites one in place while it is read changes what is read, or ends the
//! program. (What this library writes replaces files as a whole.)
//!
//! <https://docs.pytorch.org/docs/stable/generated/torch.save.html>
mod call;
mod global;
mod machine;
mod object;
mod pickler;
mod storage;
mod value;

pub use value::Value;

pub(super) use pickler::Tree;

use super::{
    Limits,
    mapped::map,
    zip::{Method, Writer},
};
use crate::{Error, Result, TensorData, nn::StateDict};
use pickler::pickle;
use std::{
    io::{self, Write},
    panic::Location,
    path::Path,
};

/// The format, as errors name it.
const PTH: &str = "pth";

fn broken(why: impl Into<String>) -> Error {
    Error::format(PTH, why)
}

/// Reads a file that holds a module's `state_dict()`. Tensors come row-major, whatever their strides were.
///
/// ```
/// use firesteel::{io::pth, nn::{Linear, State}, prelude::*};
/// let path = std::env::temp_dir().join("firesteel-doc.pth");
/// let (saved, mut loaded) = (Linear::new(2, 3, &Cpu)?, Linear::new(2, 3, &Cpu)?);
/// pth::save(&path, &saved.state_dict()?)?;
/// loaded.load_state_dict(&pth::load(&path)?)?;
/// assert_eq!(saved.weight.to_vec::<f32>()?, loaded.weight.to_vec::<f32>()?);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn load(path: impl AsRef<Path>) -> Result<StateDict> {
    load_value(path)?.into_state_dict()
}

/// Reads whatever a file holds, such as a checkpoint with the state of an optimizer.
///
/// ```
/// use firesteel::io::pth::{self, Value};
/// let path = std::env::temp_dir().join("firesteel-doc-value.pth");
/// pth::save_value(&path, &Value::dict([("epoch", 3.into()), ("loss", 0.25.into())]))?;
/// let checkpoint = pth::load_value(&path)?;
/// assert_eq!(checkpoint.get("epoch").and_then(Value::as_i64), Some(3));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn load_value(path: impl AsRef<Path>) -> Result<Value> {
    load_value_with(path, Limits::default())
}

/// [`load_value`] with other limits than the usual ones.
#[track_caller]
pub fn load_value_with(path: impl AsRef<Path>, limits: Limits) -> Result<Value> {
    let (here, path) = (Location::caller(), path.as_ref());
    let read = map(PTH, path).and_then(|bytes| value_from_bytes(&bytes, limits));
    read.map_err(|e| e.at(here))
}

/// Reads the bytes of a file.
#[track_caller]
pub fn value_from_bytes(bytes: &[u8], limits: Limits) -> Result<Value> {
    let here = Location::caller();
    let mut budget = limits.budget(PTH, bytes.len());
    let read = match bytes {
        [b'P', b'K', ..] => storage::read_archive(bytes, &mut budget),
        [0x80, ..] => storage::read_legacy(bytes, &mut budget),
        _ => Err(broken("this is neither a zip archive nor a pickle, which checkpoints are")),
    };
    read.map_err(|e| e.at(here))
}

/// Writes tensors by name to a file, which is there whole or not at all.
#[track_caller]
pub fn save(path: impl AsRef<Path>, state: &StateDict) -> Result<()> {
    save_tree(path.as_ref(), Tree::State(state))
}

/// Writes a value to a file, which is there whole or not at all.
#[track_caller]
pub fn save_value(path: impl AsRef<Path>, value: &Value) -> Result<()> {
    save_tree(path.as_ref(), Tree::Value(value))
}

/// The bytes of a file of this value.
#[track_caller]
pub fn to_bytes(value: &Value) -> Result<Vec<u8>> {
    let (here, mut bytes) = (Location::caller(), vec![]);
    let (pickle, tensors) = pickle(Tree::Value(value)).map_err(|e| e.at(here))?;
    let written = write(&mut bytes, &pickle, &tensors);
    written.map_err(|e| Error::io(PTH, format!("cannot write: {e}")).because(e).at(here))?;
    Ok(bytes)
}

#[track_caller]
pub(super) fn save_tree(path: &Path, tree: Tree<'_>) -> Result<()> {
    let here = Location::caller();
    let (pickle, tensors) = pickle(tree).map_err(|e| e.at(here))?;
    let written = super::write_atomic(path, |file| write(file, &pickle, &tensors));
    written.map_err(|e| e.at(here))
}

/// The files in an archive, as PyTorch lays them out.
fn write(out: impl Write, pickle: &[u8], tensors: &[&TensorData]) -> io::Result<()> {
    let mut archive = Writer::new(out);
    let mut add =
        |name: &str, bytes: &[u8]| archive.add(&format!("archive/{name}"), &[bytes], Method::Stored);
    add("data.pkl", pickle)?;
    add(".format_version", b"1")?;
    add(".storage_alignment", b"64")?;
    add("byteorder", if cfg!(target_endian = "little") { b"little" } else { b"big" })?;
    for (key, tensor) in tensors.iter().enumerate() {
        add(&format!("data/{key}"), tensor.data().bytes())?;
    }
    add("version", b"3\n")?;
    archive.finish().map(drop)
}
