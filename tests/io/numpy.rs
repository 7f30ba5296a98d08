//! Files of NumPy's own making, by `tests/data/make.py`, and ours.
use crate::{data, done_with, temporary};
use firesteel::{
    Data, TensorData,
    io::{Limits, npy, npz},
    nn::StateDict,
    prelude::*,
};
use std::fs;

fn counted(dtype: DType) -> TensorData {
    TensorData::new([2, 3], Data::I64((0..6).collect())).unwrap().cast(dtype)
}

#[test]
fn arrays_of_numpy_of_every_dtype_and_order_are_read() -> Result<()> {
    for (file, dtype) in [
        ("f8", DType::F64),
        ("f4", DType::F32),
        ("f2", DType::F16),
        ("i8", DType::I64),
        ("i4", DType::I32),
        ("i1", DType::I8),
        ("u4", DType::U32),
        ("u1", DType::U8),
        ("b1", DType::Bool),
        ("big_f4", DType::F32),
        ("big_i8", DType::I64),
        ("fortran", DType::F32),
    ] {
        assert_eq!(npy::load(data(&format!("{file}.npy")))?, counted(dtype), "{file}");
    }
    assert_eq!(npy::load(data("scalar.npy"))?, TensorData::new((), Data::F32(vec![3.5]))?);
    assert_eq!(npy::load(data("empty.npy"))?, TensorData::new([0, 4], Data::F32(vec![]))?);
    Ok(())
}

#[test]
fn what_does_not_fit_is_told() {
    for (file, words) in [
        ("complex.npy", "\"<c8\""),
        ("object.npy", "\"|O\""),
        ("state.pth", "no array of NumPy's"),
        ("no.npy", "cannot read"),
    ] {
        let error = npy::load(data(file)).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.location().file().contains("tests"));
    }
    let bf16 = npy::to_bytes(&counted(DType::BF16)).unwrap_err();
    assert!(bf16.to_string().contains("bfloat16"), "{bf16}");
    let pth = npz::load(data("state.pth")).unwrap_err();
    assert!(pth.to_string().contains("no array of NumPy's"), "{pth}");
}

#[test]
fn arrays_come_back_with_numpys_own_bytes() -> Result<()> {
    for dtype in DType::ALL.iter().filter(|dtype| **dtype != DType::BF16) {
        assert_eq!(npy::from_bytes(&npy::to_bytes(&counted(*dtype))?)?, counted(*dtype));
    }
    assert_eq!(npy::to_bytes(&counted(DType::F32))?, fs::read(data("f4.npy")).unwrap());
    assert_eq!(npy::to_bytes(&npy::load(data("scalar.npy"))?)?, fs::read(data("scalar.npy")).unwrap());
    let path = temporary("array.npy");
    npy::save(&path, &counted(DType::I8))?;
    assert_eq!(npy::load(&path)?, counted(DType::I8));
    done_with(&path);
    Ok(())
}

#[test]
fn archives_of_arrays_go_both_ways() -> Result<()> {
    let arrays: StateDict = [
        ("weight".to_owned(), counted(DType::F32)),
        ("steps".to_owned(), TensorData::new([3], Data::I64(vec![0, 1, 2]))?),
    ]
    .into();
    for file in ["arrays.npz", "arrays_compressed.npz"] {
        assert_eq!(npz::load(data(file))?, arrays, "{file}");
    }
    let (stored, compressed) = (temporary("stored.npz"), temporary("compressed.npz"));
    npz::save(&stored, &arrays)?;
    npz::save_compressed(&compressed, &arrays)?;
    for path in [stored, compressed] {
        assert_eq!(npz::load(&path)?, arrays);
        done_with(&path);
    }
    Ok(())
}

#[test]
fn a_bomb_is_an_error() -> Result<()> {
    let zeros = TensorData::new([1000, 1000], Data::F32(vec![0.; 1_000_000]))?;
    let path = temporary("bomb.npz");
    npz::save_compressed(&path, &[("zeros".to_owned(), zeros)].into())?;
    assert!(fs::metadata(&path).unwrap().len() < 10_000);
    assert!(npz::load(&path).is_ok(), "four megabytes are no bomb yet");
    let error = npz::load_with(&path, Limits { memory: Some(1 << 20) }).unwrap_err();
    assert!(error.to_string().contains("Limits::memory"), "{error}");
    done_with(&path);
    Ok(())
}
