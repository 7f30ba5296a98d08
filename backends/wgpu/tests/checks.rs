//! What is wrong on the device is an error when numbers are read, once; what one test does wrong another would see, so they
//! are one test.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::gpu;
use firesteel_core::{Backend, Binary, Data, ErrorKind, Fused, Op, TensorData, block_on};
use firesteel_wgpu::WgpuValue;

#[test]
fn failed_checks_are_errors_when_numbers_are_read() {
    let gpu = gpu();
    let up = |data: Data| gpu.upload(TensorData::new([data.len()], data).unwrap()).unwrap();
    let read = |y: &WgpuValue| block_on(gpu.download(y));

    let x = gpu.upload(TensorData::new([2, 3], Data::F32(vec![1.; 6])).unwrap()).unwrap();
    let target = up(Data::I64(vec![1, 3]));
    let loss = Op::Fused(Fused::CrossEntropy { ignore_index: -100 }, [&x, &target].into_iter().collect());
    let y = gpu.run(loss).unwrap();
    let error = read(&y[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Index);
    assert_eq!(error.to_string(), "cross_entropy: the target 3 is not one of the 3 classes, 0 to 2");
    gpu.synchronize().unwrap();

    let (a, b) = (up(Data::I32(vec![1, 2, 3])), up(Data::I32(vec![1, 0, 3])));
    gpu.run(Op::Binary(Binary::Div, &a, &b)).unwrap();
    let error = gpu.synchronize().unwrap_err();
    assert_eq!(error.to_string(), "div: whole numbers cannot be divided by zero");
    // what lies past the end is no number
    let y = gpu.run(Op::Binary(Binary::Remainder, &b, &a)).unwrap();
    assert_eq!(read(&y[0]).unwrap().data(), &Data::I32(vec![0, 0, 0]));
}
