//! [safetensors](https://github.com/huggingface/safetensors): tensors by name in one file, and nothing that
//! could be executed.
//!
//! Files are mapped to memory: whoever overwrites one in place while it is read changes what is read, or ends the
//! program. (What this library writes replaces files as a whole.)
mod header;
mod lazy;

pub use lazy::SafeOpen;

use crate::{Data, Error, Result, TensorData, nn::StateDict};
use header::{Entry, Header};
use std::{collections::HashMap, io::Write, panic::Location, path::Path};

/// The format, as errors name it.
const SAFETENSORS: &str = "safetensors";

/// Strings that go with the tensors of a file.
pub type Metadata = HashMap<String, String>;

/// Writes tensors to a file, which is there whole or not at all.
///
/// ```
/// use firesteel::{io::safetensors, nn::{Linear, State}, prelude::*};
/// let path = std::env::temp_dir().join("firesteel-doc.safetensors");
/// let (saved, mut loaded) = (Linear::new(2, 3, &Cpu)?, Linear::new(2, 3, &Cpu)?);
/// safetensors::save(&path, &saved.state_dict()?)?;
/// loaded.load_state_dict(&safetensors::load(&path)?)?;
/// assert_eq!(saved.weight.to_vec::<f32>()?, loaded.weight.to_vec::<f32>()?);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn save(path: impl AsRef<Path>, state: &StateDict) -> Result<()> {
    save_with(path, state, Metadata::new())
}

/// [`save`], with strings beside the tensors.
#[track_caller]
pub fn save_with(path: impl AsRef<Path>, state: &StateDict, metadata: Metadata) -> Result<()> {
    let here = Location::caller();
    let (header, tensors) = Header::write(state, &metadata).map_err(|e| e.at(here))?;
    let written = super::write_atomic(path, |file| {
        file.write_all(&header)?;
        tensors.iter().try_for_each(|tensor| file.write_all(tensor.data().bytes()))
    });
    written.map_err(|e| e.at(here))
}

/// The bytes of a file of these tensors.
#[track_caller]
pub fn to_bytes(state: &StateDict, metadata: Metadata) -> Result<Vec<u8>> {
    let here = Location::caller();
    let (mut bytes, tensors) = Header::write(state, &metadata).map_err(|e| e.at(here))?;
    tensors.iter().for_each(|tensor| bytes.extend_from_slice(tensor.data().bytes()));
    Ok(bytes)
}

/// Reads all tensors of a file.
#[track_caller]
pub fn load(path: impl AsRef<Path>) -> Result<StateDict> {
    load_with(path).map(|(state, _)| state)
}

/// [`load`], with the strings beside the tensors.
#[track_caller]
pub fn load_with(path: impl AsRef<Path>) -> Result<(StateDict, Metadata)> {
    let here = Location::caller();
    let file = super::mapped::map(SAFETENSORS, path.as_ref());
    file.and_then(|bytes| from_bytes(&bytes)).map_err(|e| e.at(here))
}

/// All tensors and strings in the bytes of a file. Lengths and offsets are checked before they are used.
#[track_caller]
pub fn from_bytes(bytes: &[u8]) -> Result<(StateDict, Metadata)> {
    let here = Location::caller();
    let Header { metadata, tensors } = Header::read(bytes).map_err(|e| e.at(here))?;
    let tensors = tensors.into_iter().map(|(name, entry)| {
        let tensor = tensor(bytes, &name, &entry)?;
        Ok((name, tensor))
    });
    Ok((tensors.collect::<Result<_>>().map_err(|e| e.at(here))?, metadata))
}

/// A tensor out of the bytes of a file.
fn tensor(bytes: &[u8], name: &str, entry: &Entry) -> Result<TensorData> {
    let data = bytes.get(entry.place.clone()).and_then(|bytes| Data::from_bytes(entry.meta.dtype, bytes));
    let data = data.ok_or_else(|| Error::format(SAFETENSORS, format!("{name} is cut off")))?;
    TensorData::new(&entry.meta.shape, data).map_err(|e| e.within(SAFETENSORS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> StateDict {
        let floats = TensorData::new([2, 2], Data::F32(vec![1., -2., f32::NAN, 4.])).unwrap();
        let flags = TensorData::new([3], Data::Bool(vec![true, false, true])).unwrap();
        let empty = TensorData::new([0, 5], Data::I64(vec![])).unwrap();
        [("w".into(), floats), ("flags".into(), flags), ("empty".into(), empty)].into()
    }

    #[test]
    fn comes_back_as_it_was() {
        let metadata = Metadata::from([("epoch".into(), "3".into())]);
        let bytes = to_bytes(&state(), metadata.clone()).unwrap();
        let (read, strings) = from_bytes(&bytes).unwrap();
        assert_eq!(strings, metadata);
        for (name, data) in state() {
            assert_eq!((data.meta(), data.data().bytes()), (read[&name].meta(), read[&name].data().bytes()));
        }
    }

    /// A file with this header.
    fn with_header(json: &str, data: &[u8]) -> Vec<u8> {
        [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), data].concat()
    }

    #[test]
    fn truncated_and_hostile_files_are_errors() {
        let bytes = to_bytes(&state(), Metadata::new()).unwrap();
        for len in 0..bytes.len() {
            assert!(from_bytes(&bytes[..len]).is_err(), "{len} bytes");
        }
        let mut huge = bytes.clone();
        huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(from_bytes(&huge).is_err());
        for (json, data) in [
            (r#"{"w":{"dtype":"F32","shape":[9,9],"data_offsets":[0,16]}}"#, 16),
            (r#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, 17),
            (r#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[1,17]}}"#, 17),
            (r#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}"#, 16),
            (r#"{"w":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}"#, 16),
            (r#"{"w":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}}"#, 16),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
                4,
            ),
            (
                r#"{"w":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}}"#,
                16,
            ),
            (r#"{"w":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0),
            (r#"{"__metadata__":{"a":1}}"#, 0),
            ("[]", 0),
            ("", 0),
        ] {
            assert!(from_bytes(&with_header(json, &vec![0; data])).is_err(), "{json}");
        }
        let deep = format!("{{\"w\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(from_bytes(&with_header(&deep, &[])).is_err());
    }
}
