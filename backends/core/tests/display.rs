//! Tensors in print, against what PyTorch prints.
#![allow(clippy::unwrap_used)]
use firesteel::{ToData, prelude::*};

fn printed(data: impl ToData) -> String {
    Tensor::new(data, &Cpu).unwrap().to_string()
}

fn as_dtype(data: impl ToData, dtype: DType) -> String {
    Tensor::new(data, (dtype, &Cpu)).unwrap().to_string()
}

#[test]
fn real_numbers_take_the_notation_that_suits_all() {
    assert_eq!(printed([1.0, 2.0, 3.0]), "tensor([1., 2., 3.])");
    assert_eq!(printed([1.5, -2.0]), "tensor([ 1.5000, -2.0000])");
    assert_eq!(printed([0.0, 0.0]), "tensor([0., 0.])");
    assert_eq!(printed([1e-5, 1.0]), "tensor([1.0000e-05, 1.0000e+00])");
    assert_eq!(printed([1.0, 10000.0]), "tensor([1.0000e+00, 1.0000e+04])");
    assert_eq!(printed([1e10]), "tensor([1.0000e+10])");
    assert_eq!(printed([100000.0, 200000.0]), "tensor([100000., 200000.])");
    assert_eq!(printed([0.1, 99.99]), "tensor([ 0.1000, 99.9900])");
    assert_eq!(printed([1e-100f64, 1.0]), "tensor([0., 1.])");
    assert_eq!(as_dtype([1e-100, 1.0], DType::F64), "tensor([1.0000e-100,  1.0000e+00], dtype=float64)");
}

#[test]
fn what_is_not_a_number_aligns_with_the_others() {
    assert_eq!(printed([f32::NAN, 1.5]), "tensor([   nan, 1.5000])");
    assert_eq!(printed([f32::INFINITY, -f32::INFINITY]), "tensor([inf, -inf])");
    assert_eq!(printed([f32::NAN, 1.0]), "tensor([nan, 1.])");
}

#[test]
fn single_numbers_have_no_brackets() {
    assert_eq!(printed(2.5), "tensor(2.5000)");
    assert_eq!(printed(3), "tensor(3)");
    assert_eq!(printed(true), "tensor(True)");
    assert_eq!(as_dtype(0.25, DType::BF16), "tensor(0.2500, dtype=bfloat16)");
}

#[test]
fn integers_and_bools_align() {
    assert_eq!(printed([1, -20, 300]), "tensor([  1, -20, 300])");
    assert_eq!(printed([true, false]), "tensor([ True, False])");
    assert_eq!(as_dtype([1, 2], DType::U8), "tensor([1, 2], dtype=uint8)");
}

#[test]
fn dims_nest() {
    let x = Tensor::zeros([2, 2, 2], &Cpu).unwrap();
    let expected = "tensor([[[0., 0.],\n         [0., 0.]],\n\n        [[0., 0.],\n         [0., 0.]]])";
    assert_eq!(x.to_string(), expected);
    assert_eq!(format!("{x:?}"), expected);
}

#[test]
fn empty_tensors_show_what_the_numbers_do_not() {
    let empty = |shape: &[usize], dtype| Tensor::zeros(shape, (dtype, &Cpu)).unwrap().to_string();
    assert_eq!(empty(&[0], DType::F32), "tensor([])");
    assert_eq!(empty(&[0, 3], DType::F32), "tensor([], size=(0, 3))");
    assert_eq!(empty(&[0], DType::I64), "tensor([], dtype=int64)");
    assert_eq!(empty(&[2, 0], DType::Bool), "tensor([], size=(2, 0), dtype=bool)");
}

#[test]
fn long_rows_break() {
    let x: Vec<i64> = (0..30).collect();
    let expected = "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n        \
                    18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])";
    assert_eq!(printed(x), expected);
}

#[test]
fn large_tensors_are_summarised() {
    let x: Vec<i64> = (0..1001).collect();
    assert_eq!(printed(x), "tensor([   0,    1,    2,  ...,  998,  999, 1000])");
    let x: Vec<i64> = (0..1200).collect();
    let x = Tensor::new(x, &Cpu).unwrap().reshape([400, 3]).unwrap();
    let expected = "tensor([[   0,    1,    2],\n        [   3,    4,    5],\n        [   6,    7,    8],\n        \
                    ...,\n        [1191, 1192, 1193],\n        [1194, 1195, 1196],\n        [1197, 1198, 1199]])";
    assert_eq!(x.to_string(), expected);
}

#[test]
fn a_suffix_too_many_goes_to_its_own_line() {
    let expected =
        "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n       dtype=float64)";
    assert_eq!(as_dtype(vec![0.5; 8], DType::F64), expected);
}
