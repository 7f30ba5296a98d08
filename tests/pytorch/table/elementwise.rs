//! Element by element.
use crate::pytorch::cases::Value;
use firesteel::{DType, NanToNumOptions, RoundingMode};

table! {
    /// Functions of one element.
    unary(a) {
        each abs acos acosh asin asinh atan atanh bitwise_not ceil cos cosh deg2rad digamma erf erfc erfinv: ();
        each exp exp2 expm1 floor frac frexp isfinite isinf isnan isneginf isposinf lgamma log log10 log1p log2: ();
        each logical_not neg positive rad2deg reciprocal rsqrt sgn sigmoid sign signbit sin sinc: ();
        each sinh sqrt square tan tanh trunc: ();
        each logit: (a.opt_float(1)?);
        each nan_to_num: (NanToNumOptions::default());
        "round" => match a.opt_int("decimals")? {
            Some(decimals) => a.tensor(0)?.round_to(decimals as i32)?,
            None => a.tensor(0)?.round()?,
        },
    }
}

table! {
    /// Functions of two elements and more.
    binary(a) {
        each add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor: (a.operand(1)?);
        each clamp_max clamp_min copysign floor_divide fmax fmin fmod gcd heaviside hypot lcm: (a.operand(1)?);
        each ldexp: (a.operand(1)?);
        each logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum mul: (a.operand(1)?);
        each nextafter pow remainder sub: (a.operand(1)?);
        each true_divide xlogy: (a.operand(1)?);
        each addcdiv addcmul: (a.operand(1)?, a.operand(2)?, a.scalar_or("value", 1.into())?);
        each lerp: (a.operand(1)?, a.operand(2)?);
        "__radd__" => a.tensor(1)?.add(a.operand(0)?)?,
        "__rand__" => a.tensor(1)?.bitwise_and(a.operand(0)?)?,
        "__rdiv__" => a.tensor(1)?.div(a.operand(0)?)?,
        "__rmod__" => a.tensor(1)?.remainder(a.operand(0)?)?,
        "__rmul__" => a.tensor(1)?.mul(a.operand(0)?)?,
        "__ror__" => a.tensor(1)?.bitwise_or(a.operand(0)?)?,
        "__rpow__" => a.tensor(1)?.pow(a.operand(0)?)?,
        "__rsub__" | "rsub" => a.tensor(0)?.rsub(a.operand(1)?)?,
        "__rxor__" => a.tensor(1)?.bitwise_xor(a.operand(0)?)?,
        "clamp" => match (a.opt_operand(1)?, a.opt_operand(2)?) {
            (Some(min), Some(max)) => a.tensor(0)?.clamp(min, max)?,
            (Some(min), None) => a.tensor(0)?.clamp_min(min)?,
            (None, Some(max)) => a.tensor(0)?.clamp_max(max)?,
            (None, None) => a.tensor(0)?,
        },
        "div" => match a.opt_str("rounding_mode")? {
            Some("floor") => a.tensor(0)?.div_rounded(a.operand(1)?, RoundingMode::Floor)?,
            Some(_) => a.tensor(0)?.div_rounded(a.operand(1)?, RoundingMode::Trunc)?,
            None => a.tensor(0)?.div(a.operand(1)?)?,
        },
        "where" => a.tensor(1)?.where_(a.operand(0)?, a.operand(2)?)?,
    }
}

table! {
    /// To other dtypes and devices.
    convert(a) {
        "bfloat16" => a.tensor(0)?.to(DType::BF16)?,
        "bool" => a.tensor(0)?.to(DType::Bool)?,
        "double" => a.tensor(0)?.to(DType::F64)?,
        "float" => a.tensor(0)?.to(DType::F32)?,
        "half" => a.tensor(0)?.to(DType::F16)?,
        "int" => a.tensor(0)?.to(DType::I32)?,
        "long" => a.tensor(0)?.to(DType::I64)?,
        "to" => {
            // Everything is on one device, and a copy shows in nothing.
            (2..a.len()).for_each(|i| a.ignore(i));
            let dtype = match a.value(1) {
                Some((path, value @ Value::Tensor(_))) => a.tensor_at(&path, value)?.dtype(),
                Some((_, Value::Str(_))) => a.dtype(2)?,
                _ => a.dtype(1)?,
            };
            a.tensor(0)?.to(dtype)?
        },
    }
}
