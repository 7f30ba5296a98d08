//! Element by element.
use firesteel::DType;

table! {
    /// Functions of one element.
    unary(a) {
        each abs acos acosh asin asinh atan atanh bitwise_not cos cosh digamma erf erfc erfinv exp exp2 expm1: ();
        each lgamma log log10 log1p log2 neg reciprocal rsqrt sigmoid sin sinh sqrt square tan tanh: ();
    }
}

table! {
    /// Functions of two elements and more.
    binary(a) {
        each add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor: (a.operand(1)?);
        each fmod maximum minimum mul pow remainder sub: (a.operand(1)?);
        "__radd__" => a.tensor(1)?.add(a.operand(0)?)?,
        "__rand__" => a.tensor(1)?.bitwise_and(a.operand(0)?)?,
        "__rdiv__" => a.tensor(1)?.div(a.operand(0)?)?,
        "__rmod__" => a.tensor(1)?.remainder(a.operand(0)?)?,
        "__rmul__" => a.tensor(1)?.mul(a.operand(0)?)?,
        "__ror__" => a.tensor(1)?.bitwise_or(a.operand(0)?)?,
        "__rpow__" => a.tensor(1)?.pow(a.operand(0)?)?,
        "__rsub__" | "rsub" => a.tensor(1)?.sub(a.operand(0)?)?,
        "__rxor__" => a.tensor(1)?.bitwise_xor(a.operand(0)?)?,
        "where" => a.tensor(1)?.where_(a.operand(0)?, a.operand(2)?)?,
    }
}

table! {
    /// Comparisons.
    compare(a) {
        each eq ge gt le lt ne: (a.operand(1)?);
    }
}

table! {
    /// To other dtypes.
    convert(a) {
        "bfloat16" => a.tensor(0)?.to(DType::BF16)?,
        "bool" => a.tensor(0)?.to(DType::Bool)?,
        "double" => a.tensor(0)?.to(DType::F64)?,
        "float" => a.tensor(0)?.to(DType::F32)?,
        "half" => a.tensor(0)?.to(DType::F16)?,
        "int" => a.tensor(0)?.to(DType::I32)?,
        "long" => a.tensor(0)?.to(DType::I64)?,
    }
}
