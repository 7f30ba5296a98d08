//! Small element-wise operations that follow one another become one kernel, and give what they give one by one.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{another, gpu};
use firesteel_core::{Backend, DType, ErrorKind, Tensor};
use firesteel_cpu::Cpu;
use firesteel_wgpu::Wgpu;

fn arange<B: Backend>(n: i64, b: &B) -> Tensor<B> {
    Tensor::arange(0..n, b).unwrap().to(DType::F32).unwrap()
}

/// `z + y` so many times.
fn added(times: usize, gpu: &Wgpu) -> Tensor<Wgpu> {
    let (x, y) = (arange(5, gpu), Tensor::ones([5], gpu).unwrap());
    (0..times).fold(x, |z, _| (&z + &y).unwrap())
}

#[test]
fn a_thousand_additions_are_a_few_kernels() {
    // a device of its own: nobody else's kernels and shaders are counted
    let gpu = another();
    // what comes often is compiled whole
    for _ in 0..3 {
        assert_eq!(added(1000, &gpu).to_vec::<f32>().unwrap(), [1000., 1001., 1002., 1003., 1004.]);
    }
    let before = gpu.counters();
    let sum = added(1000, &gpu);
    let after = gpu.counters();
    let kernels = after.kernels - before.kernels;
    assert!((10..40).contains(&kernels), "{kernels}");
    assert_eq!(after.shaders, before.shaders);
    drop(sum);
}

#[test]
fn what_nobody_holds_is_not_computed() {
    let gpu = another();
    let x = arange(7, &gpu);
    let before = gpu.counters();
    drop((&x + &x).unwrap());
    assert_eq!(gpu.counters().kernels, before.kernels);
    let y = (&x + &x).unwrap();
    assert_eq!(gpu.counters().kernels, before.kernels + 1);
    assert_eq!(y.to_vec::<f32>().unwrap(), [0., 2., 4., 6., 8., 10., 12.]);
}

/// Views of what waits, other sizes between, numbers beside tensors, and results that stay: again and again, so that the
/// chain is run both ways.
fn mixed<B: Backend>(b: &B) -> Vec<Vec<f32>> {
    let x = arange(12, b);
    let mut all = vec![];
    for round in 0..6 {
        let a = ((&x * 0.5).unwrap() + f64::from(round)).unwrap();
        let negative = (&a * -0.0).unwrap();
        let zero = (&a * 0.0).unwrap();
        let turned = a.reshape([3, 4]).unwrap().t().unwrap();
        let c = (&turned + &turned).unwrap();
        let small = (arange(2, b) - 1.0).unwrap();
        let is_large = a.gt(2.0).unwrap();
        let picked = is_large.where_(&a, &x).unwrap();
        let halves = a.to(DType::F16).unwrap();
        let squares = (&halves * &halves).unwrap().to(DType::F32).unwrap();
        let root = (&squares.sqrt().unwrap() - &a).unwrap();
        let signs = (1.0 / &(&zero + &negative).unwrap()).unwrap();
        for y in [a, c.reshape([12]).unwrap(), small, picked, squares, root, signs] {
            all.push(y.to_vec::<f32>().unwrap());
        }
    }
    all
}

#[test]
fn chains_give_what_single_operations_give() {
    let want = mixed(&Cpu);
    for gpu in [gpu(), another()] {
        let got = mixed(&gpu);
        assert_eq!(got, want);
    }
}

#[test]
fn more_inputs_and_results_than_a_kernel_takes() {
    let gpu = another();
    for _ in 0..5 {
        let xs: Vec<_> = (0..30).map(|i| Tensor::new([f64::from(i), 1.0], &gpu).unwrap()).collect();
        let sum = xs[1..].iter().fold(xs[0].clone(), |sum, x| (&sum + x).unwrap());
        let doubled: Vec<_> = xs.iter().map(|x| (x + x).unwrap()).collect();
        for (i, y) in doubled.iter().enumerate() {
            assert_eq!(y.to_vec::<f32>().unwrap(), [2. * i as f32, 2.]);
        }
        assert_eq!(sum.to_vec::<f32>().unwrap(), [435., 30.]);
    }
}

#[test]
fn memory_of_what_waits_is_given_back() {
    let gpu = another();
    let x = arange(1000, &gpu);
    gpu.synchronize().unwrap();
    let before = gpu.memory().allocated;
    let y = (&x + 1.0).unwrap().exp().unwrap();
    drop((x, y));
    assert!(gpu.memory().allocated < before);
    gpu.empty_cache();
    assert_eq!(gpu.memory().reserved, gpu.memory().allocated);
}

#[test]
fn threads_that_share_what_waits() {
    let gpu = gpu();
    let shared = (arange(100, &gpu) + 1.0).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let shared = &shared;
            scope.spawn(move || {
                for i in 0..50 {
                    let mut y = (shared * f64::from(thread)).unwrap();
                    for _ in 0..i {
                        y = (&y + shared).unwrap();
                    }
                    let got = y.to_vec::<f32>().unwrap();
                    assert!((0..100).all(|k| got[k] == (k + 1) as f32 * (thread + i) as f32));
                }
            });
        }
    });
}

#[test]
fn devices_do_not_mix_while_something_waits() {
    let (a, b) = (gpu(), another());
    let (x, y) = ((arange(4, &a) + 1.0).unwrap(), (arange(4, &b) + 2.0).unwrap());
    assert_eq!((&x + &y).unwrap_err().kind(), ErrorKind::Device);
    assert_eq!(x.to_vec::<f32>().unwrap(), [1., 2., 3., 4.]);
    assert_eq!(y.to_vec::<f32>().unwrap(), [2., 3., 4., 5.]);
}
