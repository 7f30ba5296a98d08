//! Made from nothing.
use super::{shape, typed};
use firesteel::Tensor;

table! {
    /// Of a shape and a dtype.
    create(a, device) {
        "arange" => {
            let (range, step) = (a.scalar(0)?..a.scalar(1)?, a.scalar_or(2, 1.into())?);
            Tensor::arange_step(range, step, (a.dtype("dtype")?, device))?
        },
        "eye" => Tensor::eye([a.size(0)?, a.size_or(1, a.size(0)?)?], (a.dtype("dtype")?, device))?,
        "full" => Tensor::full(shape(a, 0)?, a.scalar(1)?, (a.dtype("dtype")?, device))?,
        "linspace" => Tensor::linspace(a.float(0)?, a.float(1)?, a.size(2)?, (a.dtype("dtype")?, device))?,
        "logspace" => {
            let (steps, base) = (a.size(2)?, a.float_or(3, 10.)?);
            Tensor::logspace(a.float(0)?, a.float(1)?, steps, base, (a.dtype("dtype")?, device))?
        },
        "ones" => Tensor::ones(shape(a, 0)?, (a.dtype("dtype")?, device))?,
        "tril_indices" => {
            Tensor::tril_indices(a.size(0)?, a.size(1)?, a.int_or(2, 0)?, (a.dtype("dtype")?, device))?
        },
        "triu_indices" => {
            Tensor::triu_indices(a.size(0)?, a.size(1)?, a.int_or(2, 0)?, (a.dtype("dtype")?, device))?
        },
        "zeros" => Tensor::zeros(shape(a, 0)?, (a.dtype("dtype")?, device))?,
    }
}

table! {
    /// As another tensor, but for a dtype.
    like(a) {
        "fill" => a.tensor(0)?.full_like(a.scalar("value")?)?,
        "full_like" => typed(a, a.tensor(0)?)?.full_like(a.scalar(1)?)?,
        "new_full" => typed(a, a.tensor(0)?)?.new_full(shape(a, 1)?, a.scalar(2)?)?,
        "new_ones" => typed(a, a.tensor(0)?)?.new_ones(shape(a, 1)?)?,
        "new_zeros" => typed(a, a.tensor(0)?)?.new_zeros(shape(a, 1)?)?,
        "ones_like" => typed(a, a.tensor(0)?)?.ones_like()?,
        "zeros_like" => typed(a, a.tensor(0)?)?.zeros_like()?,
    }
}
