//! Running sums and products, and differences of neighbours.
use crate::{Backend, Binary, DType, Error, Op, Result, Scan, Tensor};
use smallvec::SmallVec;

impl<B: Backend> Tensor<B> {
    /// `yᵢ = x₀ + .. + xᵢ` along a dim; whole numbers and Bool are summed in I64.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.cumsum.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3], &Cpu::default())?;
    /// assert_eq!(x.cumsum(0)?.to_vec::<i64>()?, [1, 3, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cumsum(&self, dim: isize) -> Result<Self> {
        self.scan(Scan::Sum, dim)
    }

    /// `yᵢ = x₀ · .. · xᵢ` along a dim; whole numbers and Bool are multiplied in I64.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.cumprod.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2, 3], &Cpu::default())?;
    /// assert_eq!(x.cumprod(-1)?.to_vec::<i64>()?, [1, 2, 6]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cumprod(&self, dim: isize) -> Result<Self> {
        self.scan(Scan::Prod, dim)
    }

    #[track_caller]
    fn scan(&self, kind: Scan, dim: isize) -> Result<Self> {
        let axis = self.axis(kind.name(), dim)?;
        let x = self.widened()?;
        if x.rank() == 0 { Ok(x) } else { Self::one(Op::Scan(kind, &x, axis)) }
    }

    /// The difference of neighbours along a dim, `n` times over; of Bool, whether they differ.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.diff.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::DiffOptions;
    /// let cpu = Cpu::default();
    /// let x = Tensor::new([1, 4, 9, 16], &cpu)?;
    /// assert_eq!(x.diff(DiffOptions::default())?.to_vec::<i64>()?, [3, 5, 7]);
    /// assert_eq!(x.diff(DiffOptions { n: 2, ..DiffOptions::default() })?.to_vec::<i64>()?, [2, 2]);
    /// let zero = Tensor::new([0], &cpu)?;
    /// let from_zero = DiffOptions { prepend: Some(&zero), ..DiffOptions::default() };
    /// assert_eq!(x.diff(from_zero)?.to_vec::<i64>()?, [1, 3, 5, 7]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn diff(&self, options: DiffOptions<'_, B>) -> Result<Self> {
        if self.rank() == 0 {
            return Err(Error::shape("diff", "needs at least one dim"));
        }
        let axis = self.axis("diff", options.dim)?;
        let parts: SmallVec<[&Self; 4]> =
            options.prepend.into_iter().chain([self]).chain(options.append).collect();
        let dtype = parts.iter().fold(self.dtype(), |dtype, part| dtype.promote(part.dtype()));
        let parts = parts.iter().map(|part| part.to(dtype)).collect::<Result<SmallVec<[Self; 4]>>>()?;
        let mut x = Self::one(Op::Concat(parts.iter().collect(), axis)).map_err(|e| e.within("diff"))?;
        // once there is nothing left, nothing changes any more
        for _ in 0..options.n.min(x.shape()[axis]) {
            let len = x.shape()[axis].saturating_sub(1);
            let (later, earlier) =
                (x.narrow(axis as isize, x.shape()[axis] - len, len)?, x.narrow(axis as isize, 0, len)?);
            let kind = if dtype == DType::Bool { Binary::BitXor } else { Binary::Sub };
            x = Self::one(Op::Binary(kind, &later, &earlier))?;
        }
        Ok(x)
    }
}

/// How [`Tensor::diff`] goes.
#[derive(Clone, Copy, Debug)]
pub struct DiffOptions<'a, B: Backend> {
    /// How many times over: once, unless said otherwise.
    pub n: usize,
    /// Along which dim: the last, unless said otherwise.
    pub dim: isize,
    /// What comes before the first.
    pub prepend: Option<&'a Tensor<B>>,
    /// What comes after the last.
    pub append: Option<&'a Tensor<B>>,
}

impl<B: Backend> Default for DiffOptions<'_, B> {
    fn default() -> Self {
        Self { n: 1, dim: -1, prepend: None, append: None }
    }
}
