//! Comparisons of elements and of whole tensors.
use crate::{Arg, Backend, Compare, Op, Result, Tensor, block_on};

/// Comparisons with a tensor or a number.
macro_rules! comparisons {
    ($($(#[$doc:meta])* $method:ident $kind:ident => $y:expr;)*) => { impl<B: Backend> Tensor<B> {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.", stringify!($method), ".html>\n
```
use firesteel::prelude::*;
let a = Tensor::new([1.0, 2.0, 3.0], &Cpu::default())?;
assert_eq!(a.", stringify!($method), "(2)?.to_vec::<bool>()?, ", stringify!($y), ");
# Ok::<(), firesteel::Error>(())
```")]
        #[track_caller]
        pub fn $method(&self, other: impl Into<Arg<B>>) -> Result<Self> {
            let (a, b) =
                self.meet(other.into(), |dtype| dtype).map_err(|e| e.within(stringify!($method)))?;
            Self::one(Op::Compare(Compare::$kind, &a, &b))
        }
    )*}};
}

comparisons! {
    /// `a = b`, as Bool.
    eq Eq => [false, true, false];
    /// `a ≠ b`, as Bool.
    ne Ne => [true, false, true];
    /// `a < b`, as Bool.
    lt Lt => [true, false, false];
    /// `a ≤ b`, as Bool.
    le Le => [true, true, false];
    /// `a > b`, as Bool.
    gt Gt => [false, false, true];
    /// `a ≥ b`, as Bool.
    ge Ge => [false, true, true];
}

/// How far apart two numbers may be and still count as close: `|a - b| ≤ atol + rtol · |b|`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Relative to the second number; 10⁻⁵ unless said otherwise.
    pub rtol: f64,
    /// Absolute; 10⁻⁸ unless said otherwise.
    pub atol: f64,
    /// Whether NaN is close to NaN; not unless said otherwise.
    pub equal_nan: bool,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { rtol: 1e-5, atol: 1e-8, equal_nan: false }
    }
}

impl<B: Backend> Tensor<B> {
    /// Whether elements are close, as Bool; equal infinities are.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.isclose.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::Tolerance;
    /// let a = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// let tolerance = Tolerance { atol: 0.1, ..Default::default() };
    /// assert_eq!(a.isclose(1.05, tolerance)?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn isclose(&self, other: impl Into<Arg<B>>, tolerance: Tolerance) -> Result<Self> {
        let (a, b) = self.meet(other.into(), |dtype| dtype).map_err(|e| e.within("isclose"))?;
        let equal = a.lazy().eq(&b);
        if tolerance == (Tolerance { rtol: 0., atol: 0., equal_nan: false }) {
            return equal.eval_as("isclose");
        }
        // how far whole numbers are apart is told in real ones, as PyTorch does
        let (a, b) = (a.to_float()?, b.to_float()?);
        let (a, b) = (a.lazy(), b.lazy());
        let apart = (&a - &b).abs();
        let near = apart.le(tolerance.atol + (tolerance.rtol * &b).abs()) & apart.isfinite();
        let close = near | equal;
        if tolerance.equal_nan { close | (a.isnan() & b.isnan()) } else { close }.eval_as("isclose")
    }

    /// Whether all elements are close.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.allclose.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert!(a.allclose(&(&a + 1e-6)?, Default::default())?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn allclose(&self, other: impl Into<Arg<B>>, tolerance: Tolerance) -> Result<bool> {
        self.isclose(other, tolerance)?.all(..)?.item()
    }

    /// [`allclose`](Self::allclose), waiting without blocking.
    pub async fn allclose_async(&self, other: impl Into<Arg<B>>, tolerance: Tolerance) -> Result<bool> {
        let close = self.isclose(other, tolerance)?.all(..)?;
        Ok(close.to_vec_async::<bool>().await? == [true])
    }

    /// Whether shapes and all elements are equal.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.equal.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let a = Tensor::new([1.0, 2.0], &cpu)?;
    /// assert!(a.equal(&a)?);
    /// assert!(!a.equal(&Tensor::new([1.0], &cpu)?)?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn equal(&self, other: &Self) -> Result<bool> {
        block_on(self.equal_async(other))
    }

    /// [`equal`](Self::equal), waiting without blocking.
    pub async fn equal_async(&self, other: &Self) -> Result<bool> {
        if self.shape() != other.shape() {
            return Ok(false);
        }
        Ok(self.eq(other)?.all(..)?.to_vec_async::<bool>().await? == [true])
    }

    /// Whether each element is among those of `others`, as Bool; NaN is among none.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.isin.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, others) = (Tensor::new([[1, 2], [3, 4]], &cpu)?, Tensor::new([2, 4, 9], &cpu)?);
    /// assert_eq!(x.isin(&others)?.to_vec::<bool>()?, [false, true, false, true]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn isin(&self, others: &Self) -> Result<Self> {
        let dtype = self.result_type(others);
        let x = self.to(dtype)?;
        // in order, what is there has a place before itself and another after
        let (sorted, _) =
            Self::two(Op::Sort { x: &others.to(dtype)?.reshape(-1)?, axis: 0, descending: false })?;
        let place = |right| Self::one(Op::SearchSorted { sorted: &sorted, values: &x, right });
        let (before, after) = (place(false)?, place(true)?);
        let found = before.lt(&after)?;
        if dtype.is_float() { found & x.eq(&x)? } else { Ok(found) }
    }
}
