//! [IDX](https://yann.lecun.org/exdb/mnist/): one array, as MNIST's files hold it.
use super::{
    Limits,
    strided::{ByteOrder, gather},
};
use crate::{DType, Error, Layout, Result, Shape, TensorData};
use std::{io::Read, panic::Location};

/// The format, as errors name it.
const IDX: &str = "idx";
/// Dtypes by their codes.
const DTYPES: &[(u8, DType)] =
    &[(0x08, DType::U8), (0x09, DType::I8), (0x0c, DType::I32), (0x0d, DType::F32), (0x0e, DType::F64)];

/// Reads an array to the end of a file, or of what unpacks one. No more is held than is really there.
///
/// ```
/// use firesteel::{Data, io::{Limits, idx}};
/// // two zeros, the code of the dtype, the rank, the sizes, the elements
/// let file = [&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[1, 2, 3, 4, 5, 6]].concat();
/// let array = idx::read(&file[..], Limits::default())?;
/// assert_eq!((&array.shape()[..], array.data()), (&[2, 3][..], &Data::U8(vec![1, 2, 3, 4, 5, 6])));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn read(file: impl Read, limits: Limits) -> Result<TensorData> {
    let here = Location::caller();
    array(file, limits).map_err(|e| e.at(here))
}

fn array(mut file: impl Read, limits: Limits) -> Result<TensorData> {
    let broken = |why: String| Error::format(IDX, why);
    let mut magic = [0; 4];
    file.read_exact(&mut magic).map_err(|e| broken(format!("there is no header: {e}")))?;
    let [0, 0, code, rank] = magic else {
        return Err(broken(format!("{magic:02x?} is not the start of an IDX file")));
    };
    let Some((_, dtype)) = DTYPES.iter().find(|(known, _)| *known == code) else {
        return Err(Error::dtype(IDX, format!("{code:#04x} is the code of no dtype that is read")));
    };
    let mut shape = Shape::scalar();
    for _ in 0..rank {
        let mut size = [0; 4];
        file.read_exact(&mut size).map_err(|e| broken(format!("the header is cut off: {e}")))?;
        shape.push(u32::from_be_bytes(size) as usize);
    }
    let len = shape.checked_numel().and_then(|numel| numel.checked_mul(dtype.size()));
    let len = len.ok_or_else(|| broken(format!("a shape of {shape} is too large")))?;
    limits.budget(IDX, 0).charge(len)?;
    let mut bytes = vec![];
    // a byte more would show that the sizes were a lie
    let most = (len as u64).saturating_add(1);
    let there = file.take(most).read_to_end(&mut bytes).map_err(|e| broken(format!("cannot read: {e}")))?;
    if there != len {
        let there = if there > len { "more".to_owned() } else { there.to_string() };
        return Err(broken(format!("{len} bytes are promised, and {there} are there")));
    }
    gather(IDX, (&bytes, ByteOrder::Big), *dtype, Layout::contiguous(shape), &mut limits.budget(IDX, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Data;

    fn whole(bytes: &[u8]) -> Result<TensorData> {
        read(bytes, Limits::default())
    }

    #[test]
    fn files_are_not_trusted() {
        let good = [&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[1, 2, 3, 4, 5, 6]].concat();
        assert_eq!(whole(&good).unwrap(), TensorData::new([2, 3], Data::U8(vec![1, 2, 3, 4, 5, 6])).unwrap());
        for len in 0..good.len() {
            assert!(whole(&good[..len]).is_err(), "{len} bytes");
        }
        assert!(whole(&[&good[..], &[7]].concat()).is_err());
        assert!(whole(&[0, 0, 0x0b, 1, 0, 0, 0, 0]).is_err(), "of 16 bits");
        let of = |sizes: &[u32]| {
            let sizes = sizes.iter().map(|size| size.to_be_bytes()).collect::<Vec<_>>().concat();
            whole(&[&[0, 0, 8, 3][..], &sizes].concat())
        };
        assert!(of(&[u32::MAX; 3]).is_err());
        // 2^64 - 1 elements exactly, and the strides of none
        assert!(of(&[6_700_417, 641, u32::MAX]).is_err());
        assert!(of(&[0, u32::MAX, u32::MAX]).is_err());
    }

    #[test]
    fn numbers_are_big_endian() {
        let file = [0, 0, 0x0c, 1, 0, 0, 0, 2, 0, 0, 1, 2, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(whole(&file).unwrap().data(), &Data::I32(vec![258, -1]));
    }
}
