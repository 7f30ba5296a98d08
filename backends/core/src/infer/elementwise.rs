//! Element by element: equal shapes, equal dtypes, and a dtype that the function has a meaning for.
use super::{float, one};
use crate::{Binary, Category, DType, Distribution, Error, Meta, Metas, Result, Shape, Unary};

pub fn random(kind: Distribution, shape: Shape, dtype: DType) -> Result<Metas> {
    let fits = match kind {
        Distribution::Uniform | Distribution::Normal => dtype.is_float(),
        Distribution::Bits => dtype.is_integer(),
    };
    if !fits {
        return Err(Error::dtype(kind.name(), format!("cannot make {dtype}")));
    }
    one(shape, dtype)
}

#[inline]
pub fn unary(kind: Unary, x: &Meta) -> Result<Metas> {
    use Unary::*;
    let meaningless =
        |why: &str| Err(Error::dtype(kind.name(), format!("has no meaning for {}{why}", x.dtype)));
    match kind {
        Neg | Abs | Sign | Relu if x.dtype == DType::Bool => return meaningless(": cast first"),
        Neg | Abs | Sign | Relu => (),
        Not if x.dtype.is_float() => return meaningless(""),
        Not => (),
        Floor | Ceil | Round | Trunc | Sqrt | Rsqrt | Recip | Exp | Exp2 | Expm1 | Log | Log2 | Log10
        | Log1p | Sin | Cos | Tan | Asin | Acos | Atan | Sinh | Cosh | Tanh | Asinh | Acosh | Atanh
        | Sigmoid | Erf | Erfc | Erfinv | Lgamma | Digamma => float(kind.name(), x)?,
    }
    one(&x.shape, x.dtype)
}

#[inline]
pub fn binary(kind: Binary, a: &Meta, b: &Meta) -> Result<Metas> {
    use Binary::*;
    same(kind.name(), a, b)?;
    let category = a.dtype.category();
    let fits = match kind {
        Add | Mul | Maximum | Minimum => true,
        Sub | Div | Pow | Remainder | Fmod => category != Category::Bool,
        Atan2 | Copysign | Zeta => category == Category::Float,
        BitAnd | BitOr | BitXor => category != Category::Float,
        Gcd | Shl | Shr => category == Category::Integer,
    };
    if !fits {
        return Err(Error::dtype(kind.name(), format!("has no meaning for {}", a.dtype)));
    }
    one(&a.shape, a.dtype)
}

pub fn select(condition: &Meta, a: &Meta, b: &Meta) -> Result<Metas> {
    same("where", a, b)?;
    if condition.dtype != DType::Bool || condition.shape != a.shape {
        let why = format!("the condition has to be bool {}, not {condition}", a.shape);
        return Err(Error::shape("where", why));
    }
    one(&a.shape, a.dtype)
}

/// Equal shapes and dtypes: broadcasts and promotions are settled before.
#[inline]
pub fn same(name: &'static str, a: &Meta, b: &Meta) -> Result<()> {
    if a == b {
        return Ok(());
    }
    let why = format!("the operands {a} and {b} differ");
    Err(if a.dtype == b.dtype { Error::shape(name, why) } else { Error::dtype(name, why) })
}
