//! Layers of one input.
use super::{Gave, Task, settings};
use crate::pytorch::args::Args;
use crate::pytorch::cases::Value;
use firesteel::nn::*;
use firesteel::{Backend, Error, Gelu, LocalResponseNormOptions, Result, Scalar, Shape, Sizes};

/// The layers that have settings alone, by name.
macro_rules! by_settings {
    ($t:ident $name:ident: $($layer:ident { $($fields:tt)* })*) => {
        match $name {
            $(stringify!($layer) => return $t.layer(settings!($t.s, $layer { $($fields)* })),)*
            _ => (),
        }
    };
}

/// Activations, normalisations, paddings and what else takes one tensor.
pub fn layer<B: Backend>(t: &Task<B>) -> Result<Option<Gave<B>>> {
    let (s, name, device) = (&t.s, t.name, t.device);
    by_settings! { t name:
        CELU { alpha: float_or }
        ELU { alpha: float_or }
        GLU { dim: dim_or }
        Hardshrink { lambd: float_or }
        Hardtanh { min_val: float_or, max_val: float_or }
        LeakyReLU { negative_slope: float_or }
        LogSoftmax { dim: dim_or }
        Softmax { dim: dim_or }
        Softmin { dim: dim_or }
        Softplus { beta: float_or, threshold: float_or }
        Softshrink { lambd: float_or }
        Threshold { threshold: float_or, value: float_or }
    }
    /// Layers without settings.
    macro_rules! plain {
        ($($layer:ident)*) => { match name { $(stringify!($layer) => return t.layer($layer),)* _ => () } };
    }
    plain! {
        Hardsigmoid Hardswish Identity LogSigmoid Mish ReLU ReLU6 SELU SiLU Sigmoid Softmax2d Softsign Tanh Tanhshrink
    }
    /// Paddings.
    macro_rules! pads {
        ($($layer:ident $(($value:ident))?)*) => {
            match name {
                $(stringify!($layer) => return t.layer($layer::new(sides(s)? $(, $value(s)?)?)),)*
                _ => (),
            }
        };
    }
    pads! {
        CircularPad1d CircularPad2d CircularPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d
        ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d
        ConstantPad1d(value) ConstantPad2d(value) ConstantPad3d(value)
    }
    macro_rules! batch_norm {
        ($layer:ident) => {{
            let mut layer = $layer::new(s.size("num_features")?, device)?.eps(s.float_or("eps", 1e-5)?);
            if s.value("momentum").is_some() {
                layer = layer.momentum(s.opt_float("momentum")?);
            }
            if !s.bool_or("affine", true)? {
                layer = layer.without_affine();
            }
            if !s.bool_or("track_running_stats", true)? {
                layer = layer.without_running_stats();
            }
            t.layer(layer)
        }};
    }
    macro_rules! instance_norm {
        ($layer:ident) => {{
            let mut layer = $layer::new(s.size("num_features")?, device)?.eps(s.float_or("eps", 1e-5)?);
            layer = layer.momentum(s.opt_float("momentum")?);
            if s.bool_or("affine", false)? {
                layer = layer.affine(device)?;
            }
            if s.bool_or("track_running_stats", false)? {
                layer = layer.track_running_stats(device)?;
            }
            t.layer(layer)
        }};
    }
    match name {
        "BatchNorm1d" => batch_norm!(BatchNorm1d),
        "BatchNorm2d" => batch_norm!(BatchNorm2d),
        "BatchNorm3d" => batch_norm!(BatchNorm3d),
        "CrossMapLRN2d" => t.layer(CrossMapLRN2d::new(s.size("size")?).options(response(s)?)),
        "Embedding" => t.layer(Embedding::new(s.size("num_embeddings")?, s.size("embedding_dim")?, device)?),
        "GELU" => {
            let approximate =
                if s.opt_str("approximate")? == Some("tanh") { Gelu::Tanh } else { Gelu::Exact };
            t.layer(GELU { approximate })
        }
        "GroupNorm" => {
            let norm = GroupNorm::new(s.size("num_groups")?, s.size("num_channels")?, device)?;
            let norm = norm.eps(s.float_or("eps", 1e-5)?);
            t.layer(if s.bool_or("affine", true)? { norm } else { norm.without_affine() })
        }
        "InstanceNorm1d" => instance_norm!(InstanceNorm1d),
        "InstanceNorm2d" => instance_norm!(InstanceNorm2d),
        "InstanceNorm3d" => instance_norm!(InstanceNorm3d),
        "LayerNorm" => {
            let norm = LayerNorm::new(normalized_shape(s)?, device)?.eps(s.float_or("eps", 1e-5)?);
            t.layer(if s.bool_or("elementwise_affine", true)? { norm } else { norm.without_affine() })
        }
        "Linear" => {
            let (inside, outside) = (s.size("in_features")?, s.size("out_features")?);
            t.layer(match s.bool_or("bias", true)? {
                true => Linear::new(inside, outside, device)?,
                false => Linear::without_bias(inside, outside, device)?,
            })
        }
        "LocalResponseNorm" => t.layer(LocalResponseNorm::new(s.size("size")?).options(response(s)?)),
        "PReLU" => t.layer(PReLU::new(s.size_or("num_parameters", 1)?, device)?),
        "RMSNorm" => {
            let norm = RMSNorm::new(normalized_shape(s)?, device)?.eps(s.float("eps")?);
            t.layer(if s.bool_or("elementwise_affine", true)? { norm } else { norm.without_affine() })
        }
        _ => Ok(None),
    }
}

fn normalized_shape<T: Clone>(s: &Args<T>) -> Result<Shape> {
    Ok(Shape::from(&s.sizes("normalized_shape")?[..]))
}

fn response<T: Clone>(s: &Args<T>) -> Result<LocalResponseNormOptions> {
    Ok(settings!(s, LocalResponseNormOptions { alpha: float_or, beta: float_or, k: float_or }))
}

/// One number for all sides, or one for each.
fn sides<T: Clone>(s: &Args<T>) -> Result<Sizes> {
    match s.value("padding") {
        Some((_, Value::Int(all))) => Ok((*all).into()),
        _ => Ok(s.ints("padding")?.into()),
    }
}

fn value<T: Clone>(s: &Args<T>) -> Result<Scalar> {
    s.opt_scalar("value")?.ok_or_else(|| Error::value("value", "there is none"))
}
