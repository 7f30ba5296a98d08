//! What a real number is made of: a mantissa and a power of two.
use crate::{Arg, Backend, DType, Error, Expr, Result, Tensor};

impl<B: Backend> Tensor<B> {
    /// The mantissa in `[½, 1)`, with the sign of `x`, and the I32 exponent of `x = mantissa · 2ᵉ`. What is zero or not
    /// finite is its own mantissa, with exponent 0.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.frexp.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, -6.0, 0.0], &Cpu::default())?;
    /// let (mantissa, exponent) = x.frexp()?;
    /// assert_eq!(mantissa.to_vec::<f32>()?, [0.5, -0.75, 0.]);
    /// assert_eq!(exponent.to_vec::<i32>()?, [1, 3, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn frexp(&self) -> Result<(Self, Self)> {
        if !self.dtype().is_float() {
            let why = format!("needs real numbers, not {}: cast with `.float()`", self.dtype());
            return Err(Error::dtype("frexp", why));
        }
        let x = if self.dtype().is_half() { &self.to(DType::F32)? } else { self };
        let exponent = exponent(&x.detach().lazy()).eval_as("frexp")?;
        let mantissa = scaled(&x.lazy(), &-exponent.lazy()).eval_as("frexp")?;
        Ok((mantissa.to(self.dtype())?, exponent.to(DType::I32)?))
    }

    /// The next number that its dtype has in the direction of `other`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.nextafter.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0], &Cpu::default())?;
    /// assert_eq!(x.nextafter(2.0)?.to_vec::<f32>()?, [1. + f32::EPSILON]);
    /// assert_eq!(x.nextafter(1.0)?.to_vec::<f32>()?, [1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nextafter(&self, other: impl Into<Arg<B>>) -> Result<Self> {
        let op = "nextafter";
        let (x, other) = self.meet(other.into(), |dtype| dtype).map_err(|e| e.within(op))?;
        // how many bits a mantissa has, and the exponent of the smallest number that has them all
        let (bits, least) = match x.dtype() {
            DType::F64 => (53., -1021.),
            DType::F32 => (24., -125.),
            DType::BF16
            | DType::F16
            | DType::I64
            | DType::I32
            | DType::I8
            | DType::U32
            | DType::U8
            | DType::Bool => {
                return Err(Error::dtype(op, format!("needs F32 or F64, not {}: cast first", x.dtype())));
            }
        };
        let (from, to) = (&x.detach().lazy(), &other.detach().lazy());
        let exponent = exponent(from);
        let way = (to - from).sign();
        // towards zero from a power of two, numbers lie half as far apart
        let halved = from.abs().eq(scaled(&Expr::from(0.5), &exponent)) & (&way * from).lt(0);
        let exponent = halved.where_(&exponent - 1., &exponent).maximum(least) - bits;
        let step = from.eq(0).where_(least - bits, exponent);
        // an infinity steps to the largest number, and nothing steps beyond NaN
        let largest = match x.dtype() {
            DType::F64 => f64::MAX,
            _ => f32::MAX.into(),
        };
        let stepped = x.lazy() + way * scaled(&Expr::from(1.0), &step);
        let back = from.isinf() & to.ne(from) & to.eq(to);
        let nan = (from + to).ne(from + to) & from.ne(to) & (from.isnan() | to.isnan());
        let moved = from.eq(to).where_(x.lazy(), back.where_(Expr::from(largest).copysign(from), stepped));
        nan.where_(f64::NAN, moved).eval_as(op)
    }
}

/// The whole number `e` with `|x| / 2ᵉ` in `[½, 1)`; 0 where there is none.
fn exponent<B: Backend>(x: &Expr<B>) -> Expr<B> {
    let size = &x.abs();
    let none = size.eq(0) | !size.lt(f64::INFINITY);
    let size = &none.where_(0.5, size);
    let near = &(size.log2().floor() + 1.);
    // a logarithm that is rounded is off by one, if at all
    let mantissa = &scaled(size, &-near);
    mantissa.ge(1).where_(near + 1., mantissa.lt(0.5).where_(near - 1., near))
}

/// `x · 2ᵉ`, in two steps that neither overflow nor vanish.
fn scaled<B: Backend>(x: &Expr<B>, e: &Expr<B>) -> Expr<B> {
    let half = &(e * 0.5).trunc();
    x * half.exp2() * (e - half).exp2()
}
