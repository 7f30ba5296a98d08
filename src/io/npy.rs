//! NumPy's [`.npy`](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): one array.
use super::{
    cursor::Cursor,
    limits::{Budget, Limits},
    mapped::map,
    strided::{ByteOrder, gather},
};
use crate::{DType, Error, Layout, Result, Shape, TensorData};
use std::{io::Write, panic::Location, path::Path};

/// The format, as errors name it.
const NPY: &str = "npy";
/// What a file begins with, before its version.
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Where the elements begin: at a multiple of this.
const ALIGNMENT: usize = 64;

/// Reads an array, row-major, whatever its order in the file was.
///
/// ```
/// use firesteel::{io::npy, prelude::*};
/// let path = std::env::temp_dir().join("firesteel-doc.npy");
/// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &Cpu)?;
/// npy::save(&path, &x.to_data()?)?;
/// assert_eq!(npy::load(&path)?, x.to_data()?);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn load(path: impl AsRef<Path>) -> Result<TensorData> {
    let (here, path) = (Location::caller(), path.as_ref());
    map(NPY, path).and_then(|bytes| from_bytes(&bytes)).map_err(|e| e.at(here))
}

/// Reads the bytes of a file.
#[track_caller]
pub fn from_bytes(bytes: &[u8]) -> Result<TensorData> {
    let here = Location::caller();
    // an array takes no more than its file, so that the usual limits are never met
    let mut budget = Limits::default().budget(NPY, bytes.len());
    read(NPY, bytes, &mut budget).map_err(|e| e.at(here))
}

/// Writes an array to a file, which is there whole or not at all.
#[track_caller]
pub fn save(path: impl AsRef<Path>, tensor: &TensorData) -> Result<()> {
    let here = Location::caller();
    let header = header(NPY, tensor).map_err(|e| e.at(here))?;
    super::write_atomic(path, |file| {
        file.write_all(&header)?;
        file.write_all(tensor.data().bytes())
    })
    .map_err(|e| e.at(here))
}

/// The bytes of a file of this array.
#[track_caller]
pub fn to_bytes(tensor: &TensorData) -> Result<Vec<u8>> {
    let here = Location::caller();
    let mut bytes = header(NPY, tensor).map_err(|e| e.at(here))?;
    bytes.extend_from_slice(tensor.data().bytes());
    Ok(bytes)
}

/// The array in the bytes of a file of `format`.
pub(super) fn read(format: &'static str, bytes: &[u8], budget: &mut Budget) -> Result<TensorData> {
    let mut cursor = Cursor::new(format, bytes);
    if cursor.take(MAGIC.len())? != MAGIC {
        return Err(Error::format(format, "this is no array of NumPy's"));
    }
    let [major, _minor] = cursor.array()?;
    let len: u32 = match major {
        1 => cursor.u16()?.into(),
        2 | 3 => cursor.u32()?,
        _ => return Err(Error::format(format, format!("version {major} of the format is not read"))),
    };
    let header = std::str::from_utf8(cursor.take(len)?);
    let header = header.map_err(|e| Error::format(format, "the header is no text").because(e))?;
    let Header { descr, fortran_order, shape } = Header::parse(format, header)?;
    let (dtype, order) = parse_descr(format, &descr)?;
    let layout = if fortran_order { column_major(shape) } else { Layout::contiguous(shape) };
    let elements = bytes.get(cursor.position()..).unwrap_or_default();
    let array = gather(format, (elements, order), dtype, layout, budget)?;
    let promised = array.data().bytes().len();
    if promised != elements.len() {
        let why = format!("{} bytes follow an array of {promised}", elements.len());
        return Err(Error::format(format, why));
    }
    Ok(array)
}

fn column_major(shape: Shape) -> Layout {
    let mut layout = Layout::contiguous(shape.iter().rev().copied().collect());
    layout.strides.reverse();
    Layout { shape, ..layout }
}

/// Dtypes by the code of their kind and the bytes of an element.
const DTYPES: &[(&str, DType)] = &[
    ("f8", DType::F64),
    ("f4", DType::F32),
    ("f2", DType::F16),
    ("i8", DType::I64),
    ("i4", DType::I32),
    ("i1", DType::I8),
    ("u4", DType::U32),
    ("u1", DType::U8),
    ("b1", DType::Bool),
];

/// `<f4`: the order of the bytes, and the code of the dtype.
fn parse_descr(format: &'static str, descr: &str) -> Result<(DType, ByteOrder)> {
    let found = descr.split_at_checked(1).and_then(|(order, code)| {
        let order = match order {
            "<" | "|" => ByteOrder::Little,
            ">" => ByteOrder::Big,
            _ => return None,
        };
        DTYPES.iter().find(|(c, _)| *c == code).map(|(_, dtype)| (*dtype, order))
    });
    found.ok_or_else(|| {
        let known: Vec<_> = DTYPES.iter().map(|(code, _)| *code).collect();
        let why = format!(
            "elements of type {descr:?} are not read: convert them by `astype` to one of {}",
            known.join(", ")
        );
        Error::dtype(format, why)
    })
}

/// What stands before the elements.
pub(super) fn header(format: &'static str, tensor: &TensorData) -> Result<Vec<u8>> {
    let dtype = tensor.dtype();
    let Some((code, _)) = DTYPES.iter().find(|(_, d)| *d == dtype) else {
        return Err(Error::dtype(format, format!("NumPy has no {dtype}: cast it to float32 before")));
    };
    let order = match (dtype.size(), cfg!(target_endian = "little")) {
        (1, _) => '|',
        (_, true) => '<',
        (_, false) => '>',
    };
    let sizes: Vec<_> = tensor.shape().iter().map(usize::to_string).collect();
    // a tuple of one has a comma at its end
    let comma = if sizes.len() == 1 { "," } else { "" };
    let shape = sizes.join(", ") + comma;
    let text = format!("{{'descr': '{order}{code}', 'fortran_order': False, 'shape': ({shape}), }}");
    // version 1 has 10 bytes before the text, which spaces and a newline fill up
    let padded = (10 + text.len() + 1).next_multiple_of(ALIGNMENT) - 11;
    let len = u16::try_from(padded + 1)
        .map_err(|_| Error::shape(format, format!("{} axes are too many", tensor.shape().rank())))?;
    let mut header = MAGIC.to_vec();
    header.extend([1, 0]);
    header.extend(len.to_le_bytes());
    header.extend(format!("{text:padded$}\n").as_bytes());
    Ok(header)
}

/// What the header says, which is the text of a dictionary in Python.
#[derive(Debug, PartialEq)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Shape,
}

impl Header {
    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
    fn parse(format: &'static str, text: &str) -> Result<Self> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        let broken = || Error::format(format, format!("the header is {:?}", text.trim_end()));
        let mut rest = text.trim_ascii().strip_prefix('{').ok_or_else(broken)?.trim_ascii_start();
        while rest != "}" {
            let (key, value) = quoted(rest).ok_or_else(broken)?;
            let value = value.trim_ascii_start().strip_prefix(':').ok_or_else(broken)?.trim_ascii_start();
            let after = match key {
                "descr" => quoted(value).map(|(value, after)| {
                    descr = Some(value.to_owned());
                    after
                }),
                "fortran_order" => boolean(value).map(|(value, after)| {
                    fortran_order = Some(value);
                    after
                }),
                "shape" => tuple(value).map(|(value, after)| {
                    shape = Some(value);
                    after
                }),
                _ => None,
            };
            let after = after.ok_or_else(broken)?.trim_ascii_start();
            rest = after.strip_prefix(',').unwrap_or(after).trim_ascii_start();
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Self { descr, fortran_order, shape }),
            _ => Err(broken()),
        }
    }
}

/// A text in quotes, and what comes after it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn boolean(text: &str) -> Option<(bool, &str)> {
    let truth = text.strip_prefix("True").map(|after| (true, after));
    truth.or_else(|| text.strip_prefix("False").map(|after| (false, after)))
}

/// The sizes in a tuple, of which Python 2 marked some by an L.
fn tuple(text: &str) -> Option<(Shape, &str)> {
    let (inside, after) = text.strip_prefix('(')?.split_once(')')?;
    let sizes = inside.split(',').map(str::trim_ascii).filter(|size| !size.is_empty());
    let shape =
        sizes.map(|size| size.strip_suffix('L').unwrap_or(size).parse().ok()).collect::<Option<_>>()?;
    Some((shape, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_pythons_dictionaries() {
        let header = |text| Header::parse(NPY, text);
        let good = header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n").unwrap();
        let expected = Header { descr: "<f4".into(), fortran_order: false, shape: [2, 3].into() };
        assert_eq!(good, expected);
        let other = header("{\"shape\":(2L,),'fortran_order':True,'descr':'|b1'}").unwrap();
        assert_eq!(other, Header { descr: "|b1".into(), fortran_order: true, shape: [2].into() });
        for broken in [
            "",
            "{",
            "{}",
            "{'descr': '<f4'}",
            "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2",
            "{'other': 1, 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        ] {
            assert!(header(broken).is_err(), "{broken}");
        }
    }
}
