//! Activations, softmax and dropout.
use super::typed;
use crate::pytorch::args::Args;
use firesteel::{Gelu, Result, RreluOptions};

table! {
    /// Functions of one element.
    activation(a) in "nn.functional." {
        each hardsigmoid hardswish logsigmoid mish relu relu6 selu silu softsign tanhshrink: ();
        each celu elu: (a.float_or("alpha", 1.)?);
        each gelu: (if a.str("approximate")? == "tanh" { Gelu::Tanh } else { Gelu::Exact });
        each glu: (a.dim_or(1, -1)?);
        each hardshrink softshrink: (a.float_or("lambd", 0.5)?);
        each hardtanh: (a.scalar_or("min_val", (-1).into())?, a.scalar_or("max_val", 1.into())?);
        each leaky_relu: (a.float_or("negative_slope", 0.01)?);
        each prelu: (&a.tensor((1, "weight"))?);
        each rrelu: (rrelu(a)?);
        each softplus: (a.float_or("beta", 1.)?, a.float_or("threshold", 20.)?);
        each threshold: (a.scalar(1)?, a.scalar(2)?);
    }
}

table! {
    /// Weights that add up to one.
    softmax(a) {
        "log_softmax" => typed(a, a.tensor(0)?)?.log_softmax(a.dim(1)?)?,
        "nn.functional.softmin" => typed(a, a.tensor(0)?)?.softmin(a.dim(1)?)?,
        "softmax" => typed(a, a.tensor(0)?)?.softmax(a.dim(1)?)?,
    }
}

fn rrelu<T: Clone>(a: &Args<T>) -> Result<RreluOptions> {
    let default = RreluOptions::default();
    Ok(RreluOptions {
        lower: a.float_or("lower", default.lower)?,
        upper: a.float_or("upper", default.upper)?,
        training: a.bool_or("training", default.training)?,
    })
}
