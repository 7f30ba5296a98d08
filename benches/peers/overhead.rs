//! What a tiny operation costs: a repetition is a thousand of them, so its ms are their µs.
use crate::{harness::Harness, training::DEVICE};
use firesteel::prelude::*;
use std::hint::black_box;

pub fn cases(h: &Harness) {
    for n in [1, 16] {
        h.case(&format!("op_overhead_us_{n}"), || {
            let (x, y) = (Tensor::randn([n], &Cpu)?, Tensor::randn([n], &Cpu)?);
            Ok(move || {
                black_box(thousand(&x, &y)?);
                Ok(())
            })
        });
        h.case(&format!("op_overhead_grad_us_{n}"), || {
            let x = Tensor::randn([n], &DEVICE)?.requires_grad()?;
            let y = Tensor::randn([n], &DEVICE)?;
            Ok(move || {
                black_box(thousand(&x, &y)?.sum(..)?.backward()?);
                Ok(())
            })
        });
    }
}

fn thousand<B: Backend>(x: &Tensor<B>, y: &Tensor<B>) -> Result<Tensor<B>> {
    (0..1000).try_fold(x.clone(), |z, _| z + y)
}
