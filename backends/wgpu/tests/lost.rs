//! A device that is lost is an error, again and again, and its GPU can be opened once more.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

mod common;

use common::{another, gpu};
use firesteel_core::{Backend, ErrorKind, Result, Tensor};
use firesteel_wgpu::Wgpu;

#[track_caller]
fn assert_lost<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.unwrap_err();
    assert!(error.kind() == ErrorKind::Device && error.message().contains("is lost"), "{error}");
}

/// Whatever is done on a device that is lost; the numbers `x` and `y` were there before.
fn use_lost(gpu: Wgpu, x: &Tensor<Wgpu>, y: &Tensor<Wgpu>) {
    for _ in 0..3 {
        assert_lost(y.to_vec::<f32>());
        assert_lost(x.exp().and_then(|y| y.sum(..)).and_then(|y| y.item::<f32>()));
        assert_lost(Tensor::new([1.0; 100], &gpu).and_then(|x| x.to_vec::<f32>()));
        assert_lost(x.matmul(y).and_then(|y| y.item::<f32>()));
        assert_lost(gpu.synchronize());
    }
    // as many as are in a batch, and more
    for _ in 0..1000 {
        let _ = x.exp();
    }
    assert_lost(gpu.synchronize());
    gpu.empty_cache();
}

#[test]
fn a_lost_device_is_an_error_and_opened_again() {
    for lost in [another(), gpu()] {
        let x = Tensor::new([1.0, 2.0], &lost).unwrap();
        let y = x.exp().unwrap();
        lost.as_wgpu().0.destroy();
        use_lost(lost, &x, &y);

        let new = gpu();
        assert_ne!(new, lost);
        let z = Tensor::new([1.0, 2.0], &new).unwrap();
        assert_eq!((&z + &z).unwrap().to_vec::<f32>().unwrap(), [2., 4.]);
        // what was on the lost device does not come back
        assert_eq!((&z + &x).unwrap_err().kind(), ErrorKind::Device);
    }
}
