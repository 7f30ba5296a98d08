//! What stands before the tensors: their names, dtypes, shapes and places, as JSON.
use super::{Metadata, SAFETENSORS};
use crate::{DType, Error, Meta, Result, Shape, io::cursor::Cursor, nn::StateDict};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, ops::Range};

/// The longest header that the format allows.
const LONGEST: u64 = 100_000_000;
/// The key of the strings.
const STRINGS: &str = "__metadata__";

/// The header of a file.
#[derive(Clone, Debug)]
pub struct Header {
    pub metadata: Metadata,
    pub tensors: BTreeMap<String, Entry>,
}

/// A tensor, and where its bytes lie in the file.
#[derive(Clone, Debug)]
pub struct Entry {
    pub meta: Meta,
    pub place: Range<usize>,
}

/// The format's name of each dtype.
const DTYPES: &[(&str, DType)] = &[
    ("F64", DType::F64),
    ("F32", DType::F32),
    ("BF16", DType::BF16),
    ("F16", DType::F16),
    ("I64", DType::I64),
    ("I32", DType::I32),
    ("I8", DType::I8),
    ("U32", DType::U32),
    ("U8", DType::U8),
    ("BOOL", DType::Bool),
];

fn broken(why: impl Into<String>) -> Error {
    Error::format(SAFETENSORS, why)
}

impl Header {
    /// The header of the bytes of a file. All places lie within the file when it is read.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(SAFETENSORS, bytes);
        let len = cursor.u64()?;
        if len > LONGEST {
            return Err(broken(format!("a header of {len} bytes is promised, and {LONGEST} is the most")));
        }
        let json: Value = serde_json::from_slice(cursor.take(len)?)
            .map_err(|e| broken(format!("the header is no JSON: {e}")).because(e))?;
        let Value::Object(entries) = json else {
            return Err(broken("the header is no JSON object"));
        };
        let mut header = Header { metadata: Metadata::new(), tensors: BTreeMap::new() };
        for (name, value) in entries {
            if name == STRINGS {
                header.metadata = strings(&value)?;
            } else {
                let entry = Entry::read(&name, &value, cursor.position())?;
                header.tensors.insert(name, entry);
            }
        }
        header.check(cursor.position(), bytes.len())?;
        Ok(header)
    }

    /// Tensors fill the file without gaps and without sharing bytes, so that no place can hide or repeat anything.
    fn check(&self, start: usize, end: usize) -> Result<()> {
        let mut places: Vec<_> = self.tensors.iter().map(|(name, entry)| (&entry.place, name)).collect();
        places.sort_by_key(|(place, _)| (place.start, place.end));
        let mut at = start;
        for (place, name) in places {
            if place.start != at {
                return Err(broken(format!("{name} begins at byte {}, not {at}", place.start)));
            }
            at = place.end;
        }
        if at == end {
            Ok(())
        } else {
            Err(broken(format!("the tensors end at byte {at}, and the file at {end}")))
        }
    }

    /// The bytes before the tensors of a state, which follow in the order that is given with them.
    pub fn write<'s>(
        state: &'s StateDict,
        metadata: &Metadata,
    ) -> Result<(Vec<u8>, Vec<&'s crate::TensorData>)> {
        let mut entries = Map::new();
        if !metadata.is_empty() {
            // in the order of their keys, so that one content gives one file
            let strings: BTreeMap<_, _> = metadata.iter().collect();
            entries.insert(STRINGS.to_owned(), json!(strings));
        }
        // wide elements first, so that all are aligned
        let mut tensors: Vec<_> = state.iter().collect();
        tensors.sort_by_key(|(name, tensor)| (std::cmp::Reverse(tensor.dtype().size()), *name));
        let mut at = 0;
        for (name, tensor) in &tensors {
            if *name == STRINGS {
                return Err(Error::value(SAFETENSORS, format!("no tensor can have the name {STRINGS}")));
            }
            let end = at + tensor.data().bytes().len();
            let (dtype, shape) = (code(tensor.dtype()), &tensor.shape()[..]);
            entries
                .insert((*name).clone(), json!({"dtype": dtype, "shape": shape, "data_offsets": [at, end]}));
            at = end;
        }
        let mut json = Value::Object(entries).to_string().into_bytes();
        json.resize(json.len().next_multiple_of(8), b' ');
        let header = [&(json.len() as u64).to_le_bytes()[..], &json].concat();
        Ok((header, tensors.into_iter().map(|(_, tensor)| tensor).collect()))
    }
}

impl Entry {
    /// `{"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}`, with offsets from the byte `start` on.
    fn read(name: &str, value: &Value, start: usize) -> Result<Self> {
        let missing = |what: &str| broken(format!("{name} has no {what} that makes sense"));
        let numbers = |key: &str| -> Option<Vec<usize>> {
            value.get(key)?.as_array()?.iter().map(|x| usize::try_from(x.as_u64()?).ok()).collect()
        };
        let code = value.get("dtype").and_then(Value::as_str).ok_or_else(|| missing("dtype"))?;
        let Some((_, dtype)) = DTYPES.iter().find(|(known, _)| *known == code) else {
            let why =
                format!("{name} is of dtype {code}, which no tensor has here: cast it before it is saved");
            return Err(Error::dtype(SAFETENSORS, why));
        };
        let shape = Shape::from(numbers("shape").ok_or_else(|| missing("shape"))?);
        let Some(&[from, to]) = numbers("data_offsets").as_deref() else {
            return Err(missing("data_offsets"));
        };
        let len = shape.checked_numel().and_then(|numel| numel.checked_mul(dtype.size()));
        if len.is_none() || len != to.checked_sub(from) {
            let why = format!("{name} of shape {shape} and dtype {dtype} does not fill bytes {from} to {to}");
            return Err(broken(why));
        }
        let place = from.checked_add(start).zip(to.checked_add(start)).map(|(from, to)| from..to);
        let place = place.ok_or_else(|| missing("data_offsets"))?;
        Ok(Self { meta: Meta { shape, dtype: *dtype }, place })
    }
}

fn strings(value: &Value) -> Result<Metadata> {
    let strings = value.as_object().and_then(|entries| {
        entries.iter().map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    });
    strings.ok_or_else(|| broken(format!("{STRINGS} holds something else than strings")))
}

fn code(dtype: DType) -> &'static str {
    DTYPES.iter().find(|(_, known)| *known == dtype).map_or(dtype.name(), |(code, _)| code)
}
