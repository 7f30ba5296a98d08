//! [safetensors](https://github.com/huggingface/safetensors): tensors by name in one file, and nothing that
//! could be executed.
use crate::{DType, Data, Error, Result, Shape, TensorData, nn::StateDict};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{collections::HashMap, fs, io::Write, path::Path};

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
    let bytes = to_bytes(state, metadata)?;
    super::write_atomic(path, |file| file.write_all(&bytes))
}

/// The bytes of a file of these tensors.
#[track_caller]
pub fn to_bytes(state: &StateDict, metadata: Metadata) -> Result<Vec<u8>> {
    let views = state.iter().map(|(name, data)| {
        let view = TensorView::new(theirs(data.dtype()), data.shape().to_vec(), data.data().bytes());
        Ok((name.as_str(), view.map_err(|e| format_error(name, e))?))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let metadata = (!metadata.is_empty()).then_some(metadata);
    safetensors::serialize(views, metadata).map_err(|e| format_error("serialize", e))
}

/// Reads all tensors of a file.
#[track_caller]
pub fn load(path: impl AsRef<Path>) -> Result<StateDict> {
    load_with(path).map(|(state, _)| state)
}

/// [`load`], with the strings beside the tensors.
#[track_caller]
pub fn load_with(path: impl AsRef<Path>) -> Result<(StateDict, Metadata)> {
    let path = path.as_ref();
    let bytes = fs::read(path)
        .map_err(|e| Error::io("safetensors", format!("cannot read {}: {e}", path.display())).because(e))?;
    from_bytes(&bytes)
}

/// All tensors and strings in the bytes of a file. Lengths and offsets are checked before they are used.
#[track_caller]
pub fn from_bytes(bytes: &[u8]) -> Result<(StateDict, Metadata)> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| format_error("header", e))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| format_error("header", e))?;
    let tensors = file.iter().map(|(name, view)| {
        let dtype = ours(view.dtype()).ok_or_else(|| {
            Error::dtype(
                "safetensors",
                format!("{name} is of dtype {:?}, which is not one of ours", view.dtype()),
            )
        })?;
        let data = Data::from_bytes(dtype, view.data());
        let data =
            data.ok_or_else(|| Error::format("safetensors", format!("{name} ends within an element")))?;
        Ok((name.to_owned(), TensorData::new(Shape::from(view.shape()), data)?))
    });
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok((tensors.collect::<Result<_>>()?, metadata))
}

fn format_error(what: &str, source: safetensors::SafeTensorError) -> Error {
    Error::format("safetensors", format!("{what}: {source}")).because(source)
}

fn theirs(dtype: DType) -> Dtype {
    match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::BF16 => Dtype::BF16,
        DType::F16 => Dtype::F16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        DType::I8 => Dtype::I8,
        DType::U32 => Dtype::U32,
        DType::U8 => Dtype::U8,
        DType::Bool => Dtype::BOOL,
    }
}

fn ours(dtype: Dtype) -> Option<DType> {
    DType::ALL.iter().copied().find(|&d| theirs(d) == dtype)
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

    #[test]
    fn truncated_and_hostile_files_are_errors() {
        let bytes = to_bytes(&state(), Metadata::new()).unwrap();
        for len in 0..bytes.len() {
            assert!(from_bytes(&bytes[..len]).is_err(), "{len} bytes");
        }
        let mut huge = bytes.clone();
        huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(from_bytes(&huge).is_err());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let at = text.find("\"w\"").unwrap();
        let mut overflow = bytes.clone();
        let shape = text[at..].find("[2,2]").unwrap() + at;
        overflow[shape..shape + 5].copy_from_slice(b"[9,9]");
        assert!(from_bytes(&overflow).is_err());
    }
}
