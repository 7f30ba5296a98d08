//! What is wrong on the device is an error when numbers are read, once; what one test does wrong another would see, so they
//! are one test, and the others have devices of their own.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{gpu, numbers};
use firesteel_core::{
    Backend, Binary, DType, Data, ErrorKind, Fused, Op, Requirement, Scatter, TensorData, block_on,
};
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

    let truths = up(Data::Bool(vec![true, true, true, true, false]));
    gpu.run(Op::Require(&truths, Requirement::Weight)).unwrap();
    let error = gpu.synchronize().unwrap_err().to_string();
    assert!(error.starts_with("multinomial: weights have to be 0 or more"), "{error}");
    let y = gpu.run(Op::Require(&up(Data::Bool(vec![true; 5])), Requirement::Weight)).unwrap();
    assert_eq!(read(&y[0]).unwrap().data(), &Data::Bool(vec![true; 5]));

    out_of_range();
}

/// The error of an operation on these inputs, which comes when its result is read.
fn error(op: Op<usize>, inputs: &[TensorData]) -> String {
    let gpu = gpu();
    let inputs: Vec<_> = inputs.iter().map(|x| gpu.upload(x.clone()).unwrap()).collect();
    let done = gpu.run(op.map(|i| &inputs[i])).and_then(|y| block_on(gpu.download(&y[0])));
    let error = done.unwrap_err().to_string();
    gpu.synchronize().unwrap();
    error
}

fn out_of_range() {
    let x = numbers(&[5, 4], DType::F32, 1);
    let bad = |index: i64| TensorData::new([3], Data::I64(vec![0, index, 1])).unwrap();
    for (index, dtype) in [(5, DType::U8), (-1, DType::I8), (-1, DType::I64), (1 << 40, DType::I64)] {
        let op = Op::IndexSelect { x: 0, index: 1, axis: 0 };
        let error = error(op, &[x.clone(), bad(index).cast(dtype)]);
        let shown = index.min(i32::MAX.into());
        assert!(error.starts_with("index_select: ") && error.contains(&format!("index {shown} ")), "{error}");
    }
    let along = error(Op::IndexSelect { x: 0, index: 1, axis: 1 }, &[x.clone(), bad(7)]);
    assert_eq!(along, "index_select: index 7 is out of range for dim 1 of size 4: it has to lie in [0, 3]");
    let x3 = numbers(&[3, 4], DType::F32, 2);
    let put = Op::IndexPut { kind: Scatter::Add, into: 0, index: 2, x: 1, axis: 0 };
    let put = error(put, &[x.clone(), x3, bad(5)]);
    assert!(put.starts_with("index_put: "), "{put}");
    let wrapped = error(Op::WrapIndex(0, 5), &[bad(-6)]);
    assert!(wrapped.starts_with("index: "), "{wrapped}");
    let narrow = error(Op::WrapIndex(0, 300), &[bad(-1).cast(DType::I8)]);
    assert!(narrow.contains("int8"), "{narrow}");
    let empty = numbers(&[0, 4], DType::F32, 1);
    let empty = error(Op::IndexSelect { x: 0, index: 1, axis: 0 }, &[empty, bad(0)]);
    assert!(empty.contains("size 0"), "{empty}");
}

#[test]
fn what_is_out_of_range_is_not_written() {
    let gpu = common::another();
    let up = |data: Data| gpu.upload(TensorData::new([data.len()], data).unwrap()).unwrap();
    let (into, x) = (up(Data::F32(vec![0.; 5])), up(Data::F32(vec![1., 2., 3.])));
    for bad in [5, 1 << 20, -1] {
        let index = up(Data::I32(vec![0, bad, 1]));
        let y = gpu
            .run(Op::IndexPut { kind: Scatter::Set, into: &into, index: &index, x: &x, axis: 0 })
            .unwrap()
            .remove(0);
        assert_eq!(block_on(gpu.download(&y)).unwrap_err().kind(), ErrorKind::Index);
        assert_eq!(block_on(gpu.download(&y)).unwrap().data(), &Data::F32(vec![1., 3., 0., 0., 0.]));
    }
}
