//! Every combination: of elements, of powers, of places along several dims.
use crate::{Backend, DType, Error, Indexing, Result, RoundingMode, Shape, Tensor};

impl<B: Backend> Tensor<B> {
    /// Every choice of one element from each vector, as rows in order; of one vector, it is that vector.
    /// [`torch.cartesian_prod`](https://docs.pytorch.org/docs/stable/generated/torch.cartesian_prod.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2], &cpu)?, Tensor::new([3, 4], &cpu)?);
    /// assert_eq!(Tensor::cartesian_prod(&[&x, &y])?.to_vec::<i64>()?, [1, 3, 1, 4, 2, 3, 2, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cartesian_prod(tensors: &[&Self]) -> Result<Self> {
        if let Some(odd) = tensors.iter().find(|t| t.rank() != 1) {
            let why = format!("needs vectors, and {} is none", odd.shape());
            return Err(Error::shape("cartesian_prod", why));
        }
        if let &[one] = tensors {
            return Ok(one.clone());
        }
        let grids = Self::meshgrid(tensors, Indexing::Ij)?;
        let columns = grids.iter().map(Self::ravel).collect::<Result<Vec<_>>>()?;
        Self::stack(&columns.iter().collect::<Vec<_>>(), 1)
    }

    /// Every choice of `r` elements of a vector, as rows, the elements in their order; each only once, or as often as one
    /// likes.
    /// [`torch.combinations`](https://docs.pytorch.org/docs/stable/generated/torch.combinations.html)
    ///
    /// ```
    /// use firesteel::{Replacement, prelude::*};
    /// let x = Tensor::new([1, 2, 3], &Cpu::default())?;
    /// assert_eq!(x.combinations(2, Replacement::Without)?.to_vec::<i64>()?, [1, 2, 1, 3, 2, 3]);
    /// assert_eq!(x.combinations(2, Replacement::With)?.shape(), &[6, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn combinations(&self, r: usize, replacement: crate::Replacement) -> Result<Self> {
        let op = "combinations";
        let [n] = self.shape()[..] else {
            return Err(Error::shape(op, format!("needs a vector, not {}", self.shape())));
        };
        if r == 0 {
            return self.new_empty(0);
        }
        let again = replacement == crate::Replacement::With;
        // n choose r, where what may come again counts as r - 1 elements more
        let pool = if again { n.saturating_add(r - 1) } else { n };
        let rows = if n == 0 || r > pool { Some(0) } else { binomial(pool, r) };
        let cells = rows.and_then(|rows| rows.checked_mul(r));
        let Some(cells) = cells else {
            return Err(Error::memory(op, format!("there are too many choices of {r} of {n}")));
        };
        self.claim(cells)?;
        let mut places = Vec::with_capacity(cells);
        let mut row: Vec<usize> = (0..r).map(|i| if again { 0 } else { i }).collect();
        for _ in 0..cells / r {
            places.extend(row.iter().map(|&place| place as i64));
            // the last place that can still grow does, and those after it start from there
            let limit = |i: usize| if again { n - 1 } else { n - r + i };
            if let Some(grown) = (0..r).rev().find(|&i| row[i] < limit(i)) {
                let start = row[grown] + 1;
                for (step, place) in row[grown..].iter_mut().enumerate() {
                    *place = start + if again { 0 } else { step };
                }
            }
        }
        self.pick(0, places)?.shaped([cells / r, r].into())
    }

    /// The rows `1, x, x², ..` of each element of vectors `(.., n)`: `(.., n, columns)`, as many powers as there are elements
    /// unless said otherwise. A number counts as a vector of one.
    /// [`torch.linalg.vander`](https://docs.pytorch.org/docs/stable/generated/torch.linalg.vander.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([2, 3], &Cpu::default())?;
    /// assert_eq!(x.vander(3)?.to_vec::<i64>()?, [1, 2, 4, 1, 3, 9]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn vander(&self, columns: impl Into<Option<usize>>) -> Result<Self> {
        let x = self.atleast_1d()?;
        let columns = columns.into().unwrap_or(x.size(-1)?);
        if columns == 0 {
            return Err(Error::value("vander", "needs one column or more"));
        }
        let x = x.unsqueeze(-1)?;
        let shape = |last: usize| x.shape().with(x.rank() - 1, last);
        let factors = [&x.new_ones(shape(1))?, &x.broadcast_to(shape(columns - 1))?];
        Self::cat(&factors, -1)?.cumprod(-1)
    }

    /// Where the elements of places in row-major order are along each dim of `shape`.
    /// [`torch.unravel_index`](https://docs.pytorch.org/docs/stable/generated/torch.unravel_index.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let places = Tensor::new([4, 1], &Cpu::default())?;
    /// let at = places.unravel_index([2, 3])?;
    /// assert_eq!((at[0].to_vec::<i64>()?, at[1].to_vec::<i64>()?), (vec![1, 0], vec![1, 1]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn unravel_index(&self, shape: impl Into<Shape>) -> Result<Vec<Self>> {
        let (op, shape) = ("unravel_index", shape.into());
        if !self.dtype().is_integer() || self.dtype() == DType::Bool {
            return Err(Error::dtype(op, format!("places are whole numbers, not {}", self.dtype())));
        }
        if shape.contains(&0) || shape.extent().is_none() {
            return Err(Error::shape(op, format!("there are no places in a tensor of shape {shape}")));
        }
        let at = |(&size, &stride): (&usize, &isize)| {
            self.div_rounded(stride as i64, RoundingMode::Floor)?.remainder(size as i64)
        };
        shape.iter().zip(&shape.strides()).map(at).collect()
    }
}

/// How many ways there are to choose `r` of `n`; nothing where they are too many to count.
fn binomial(n: usize, r: usize) -> Option<usize> {
    let r = r.min(n - r);
    (0..r).try_fold(1usize, |ways, i| Some(ways.checked_mul(n - i)? / (i + 1)))
}
