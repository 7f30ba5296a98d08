//! Random numbers.
use super::{shape, typed};
use firesteel::{DType, Replacement, Tensor};

table! {
    /// Of a shape and a dtype.
    random(a, device) {
        "randint" => {
            let (range, sizes) = if a.len() > 2 { (a.int(0)?..a.int(1)?, 2) } else { (0..a.int(0)?, 1) };
            Tensor::randint(range, shape(a, sizes)?, (a.dtype_or("dtype", DType::I64)?, device))?
        },
        "randn" => {
            a.ignore("requires_grad");
            Tensor::randn(shape(a, 0)?, (a.dtype("dtype")?, device))?
        },
    }
}

table! {
    /// As another tensor.
    like(a, device) {
        each bernoulli: ();
        each multinomial: (a.size(1)?, if a.bool_or("replacement", false)? { Replacement::With } else { Replacement::Without });
        "cauchy" => a.tensor(0)?.cauchy_like(a.float(1)?, a.float(2)?)?,
        "exponential" => a.tensor(0)?.exponential_like(a.float(1)?)?,
        "geometric" => a.tensor(0)?.geometric_like(a.float(1)?)?,
        "log_normal" => a.tensor(0)?.log_normal_like(a.float(1)?, a.float(2)?)?,
        "normal" => match (a.variant(), a.opt_dtype("dtype")?) {
            ("in_place", _) => a.tensor(0)?.normal_like(a.float(1)?, a.float(2)?)?,
            (_, Some(dtype)) => Tensor::zeros(shape(a, 2)?, (dtype, device))?.normal_like(a.float(0)?, a.float(1)?)?,
            (_, None) => Tensor::normal(a.operand(0)?, a.operand(1)?)?,
        },
        "rand_like" => typed(a, a.tensor(0)?)?.rand_like()?,
        "randint_like" => {
            let range = if a.len() > 2 { a.int(1)?..a.int(2)? } else { 0..a.int(1)? };
            typed(a, a.tensor(0)?)?.randint_like(range)?
        },
        "randn_like" => typed(a, a.tensor(0)?)?.randn_like()?,
        "uniform" => a.tensor(0)?.uniform_like(a.float(1)?, a.float(2)?)?,
    }
}
