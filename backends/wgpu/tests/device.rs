//! Devices, their memory, and what runs on them for long or at once.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{another, gpu, numbers};
use firesteel_core::{
    Axes, Backend, Binary, DType, Data, ErrorKind, Fused, Op, Operand, Program, Scalar, Shape, Tensor, Unary,
    Update, block_on,
};
use firesteel_wgpu::{Wgpu, WgpuValue};
use smallvec::smallvec;
use std::sync::Arc;

fn one(gpu: &Wgpu, op: Op<&WgpuValue>) -> WgpuValue {
    gpu.run(op).unwrap().remove(0)
}

#[test]
fn devices_are_listed_and_opened_once() {
    let gpu = gpu();
    let list = Wgpu::list();
    assert_eq!(list.len(), Wgpu::device_count());
    assert!(Wgpu::is_available() && !list[0].name.is_empty());
    assert_eq!(Wgpu::new(0).unwrap(), gpu);
    assert_eq!(block_on(Wgpu::best_async()).unwrap(), gpu);
    assert_eq!(Wgpu::new(99).unwrap_err().kind(), ErrorKind::Device);
}

/// It has nothing beyond plain WebGPU: no immediates, no 64 bits.
#[test]
fn a_plain_device_of_the_programs_own() {
    let (gpu, plain) = (gpu(), another());
    assert_ne!(gpu.device(), plain.device());
    let x = Tensor::new([3.0, -1.0, 2.0], &plain).unwrap();
    assert_eq!(
        x.relu().unwrap().exp().unwrap().sum(..).unwrap().item::<f32>().unwrap(),
        3f32.exp() + 1. + 2f32.exp()
    );
    let best = x.argmax(0).unwrap();
    assert_eq!((best.dtype(), best.item::<i64>().unwrap()), (DType::I64, 0));
    let error = x.to(DType::F64).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let other = Tensor::new([1.0, 2.0, 3.0], &gpu).unwrap();
    assert_eq!((&x + &other).unwrap_err().kind(), ErrorKind::Device);
}

/// Whole numbers are I64 there too, as long as they fit in 32 bits.
#[test]
fn whole_numbers_without_64_bits() {
    let plain = another();
    let x = Tensor::new([3, -1, 2], &plain).unwrap();
    assert_eq!((x.dtype(), x.to_vec::<i64>().unwrap()), (DType::I64, vec![3, -1, 2]));
    let sum = x.eq(-1).unwrap().sum(..).unwrap();
    assert_eq!((sum.dtype(), sum.item::<i64>().unwrap()), (DType::I64, 1));
    let picked = Tensor::arange(0..10, &plain).unwrap().index_select(0, &(&x + 4).unwrap()).unwrap();
    assert_eq!(picked.to_vec::<i64>().unwrap(), [7, 3, 6]);
    let halves = x.to(DType::F32).unwrap().div(2).unwrap().to(DType::I64).unwrap();
    assert_eq!((halves.dtype(), halves.to_vec::<i64>().unwrap()), (DType::I64, vec![1, 0, 1]));
    let over = (&x * 1_000_000_000).unwrap().to_vec::<i64>();
    for error in [
        over.unwrap_err(),
        Tensor::new([1_i64 << 40], &plain).unwrap_err(),
        (&x * (1_i64 << 40)).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("SHADER_INT64"), "{error}");
    }
}

#[test]
fn more_than_a_device_can_give_is_an_error_and_changes_nothing() {
    let gpu = another();
    let full = |n: usize| Op::Full(Scalar::Int(1), Shape::from([n]), DType::F32);
    let negated = |n: usize| {
        let x = one(&gpu, full(n));
        gpu.run(Op::Unary(Unary::Neg, &x)).map(|mut y| y.remove(0))
    };
    let error = negated(1 << 40).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Memory);
    assert!(error.message().contains("max_storage_buffer_binding_size"), "{error}");

    gpu.set_memory_limit(1 << 20);
    assert_eq!(negated(1 << 20).unwrap_err().kind(), ErrorKind::Memory);
    let y = negated(1000).unwrap();
    assert_eq!(block_on(gpu.download(&y)).unwrap().data(), &Data::F32(vec![-1.; 1000]));

    let before = gpu.memory();
    drop(y);
    let after = gpu.memory();
    assert!(
        after.allocated < before.allocated
            && after.reserved == before.reserved
            && after.peak >= before.allocated
    );
    gpu.empty_cache();
    assert_eq!(gpu.memory().reserved, gpu.memory().allocated);
}

#[test]
fn more_workgroups_than_one_dimension_takes() {
    let gpu = gpu();
    let n = 65_536 * 1024 + 5;
    let x = one(&gpu, Op::Full(Scalar::Int(3), Shape::from([n]), DType::U8));
    let y = one(&gpu, Op::Unary(Unary::Not, &x));
    let end = firesteel_core::Span { start: n - 3, step: 1, len: 3 };
    let y = one(&gpu, Op::Slice(&y, [end].into_iter().collect()));
    assert_eq!(block_on(gpu.download(&y)).unwrap().data(), &Data::U8(vec![252; 3]));
}

/// `w - rate · g`, in the memory of `w`.
fn descend(gpu: &Wgpu, w: &mut WgpuValue, g: &WgpuValue) {
    let rate = Op::Full(Scalar::Float(1e-4), w_shape(w), DType::F32);
    let code = vec![rate, Op::Binary(Binary::Mul, 1, 2), Op::Binary(Binary::Sub, 0, 3)];
    let program = Arc::new(Program { inputs: 2, code, results: vec![4] });
    let operands = [Operand::Target(0), Operand::Value(g)].into_iter().collect();
    gpu.update(vec![Update { targets: smallvec![w], op: Op::Fused(Fused::Chain(program), operands) }])
        .unwrap();
}

fn w_shape(w: &WgpuValue) -> Shape {
    Wgpu::meta(w).shape.clone()
}

fn turned(gpu: &Wgpu, x: &WgpuValue) -> WgpuValue {
    one(gpu, Op::Permute(x, Axes::from_slice(&[1, 0])))
}

#[test]
fn memory_stays_flat_over_ten_thousand_steps() {
    // other tests fill other devices
    let gpu = another();
    let up = |shape: &[usize], seed| gpu.upload(numbers(shape, DType::F32, seed)).unwrap();
    let (x, target) = (up(&[32, 16], 1), up(&[32, 4], 2));
    let mut w = up(&[16, 4], 3);
    let mut first = None;
    let mut errors = vec![];
    for step in 0..10_000 {
        let y = one(&gpu, Op::Unary(Unary::Relu, &one(&gpu, Op::MatMul(&x, &w))));
        let g = one(&gpu, Op::Binary(Binary::Sub, &y, &target));
        descend(&gpu, &mut w, &one(&gpu, Op::MatMul(&turned(&gpu, &x), &g)));
        if step % 1000 == 10 {
            let squares = one(&gpu, Op::Binary(Binary::Mul, &g, &g));
            let mean = Op::Reduce(firesteel_core::Reduce::Mean, &squares, Axes::from_slice(&[0, 1]));
            errors.push(block_on(gpu.download(&one(&gpu, mean))).unwrap().to_vec::<f64>()[0]);
            let memory = *first.get_or_insert(gpu.memory());
            assert_eq!(gpu.memory().reserved, memory.reserved, "at step {step}");
        }
    }
    gpu.synchronize().unwrap();
    assert!(errors[9] < errors[0], "{errors:?}");
}

#[test]
fn threads_share_a_device() {
    let gpu = gpu();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for i in 0..200 {
                    let x = Tensor::full([100], f64::from(thread * 1000 + i), &gpu).unwrap();
                    let y = ((&x * 2.0).unwrap() + 1.0).unwrap();
                    let sum = y.sum(..).unwrap().item::<f32>().unwrap();
                    assert_eq!(sum, (thread * 1000 + i) as f32 * 200. + 100.);
                }
            });
        }
    });
}
