//! Products and powers of matrices.
use super::{Decomposition, Symbol};
use crate::{Backend, Error, Result, Tensor};

impl<B: Backend> Tensor<B> {
    /// `Σ xᵢ yᵢ` along a dim; other dims broadcast.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.vecdot.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &Cpu::default())?;
    /// assert_eq!(x.vecdot(&x, -1)?.to_vec::<f32>()?, [5., 25.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn vecdot(&self, other: &Self, dim: isize) -> Result<Self> {
        self.mul(other)?.sum(dim).map_err(|e| e.within("vecdot"))
    }

    /// The product of several matrices, in the order that takes the fewest multiplications; the first can be a vector, as a
    /// row, and the last, as a column.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.multi_dot.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (a, x) = (Tensor::new([[1.0, 2.0], [3.0, 4.0]], &cpu)?, Tensor::new([1.0, 1.0], &cpu)?);
    /// assert_eq!(Tensor::multi_dot(&[&a, &a, &x])?.to_vec::<f32>()?, [17., 37.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn multi_dot(tensors: &[&Self]) -> Result<Self> {
        let op = "multi_dot";
        let n = tensors.len();
        if n < 2 {
            return Err(Error::value(op, format!("needs two tensors or more, not {n}")));
        }
        for (i, tensor) in tensors.iter().enumerate() {
            let vector = tensor.rank() == 1 && (i == 0 || i == n - 1);
            if tensor.rank() != 2 && !vector {
                let why = format!("operand {i} of {n} is no matrix, but {}", tensor.shape());
                return Err(Error::shape(op, why));
            }
        }
        // sizes[i] and sizes[i + 1] are the rows and columns of operand i
        let rows = |i: usize| if tensors[i].rank() == 1 && i == 0 { 1 } else { tensors[i].shape()[0] };
        let columns = |i: usize| {
            tensors[i].shape().get(1).copied().unwrap_or(if i == 0 { tensors[0].numel() } else { 1 })
        };
        let sizes: Vec<usize> = (0..n).map(rows).chain([columns(n - 1)]).collect();
        // of operands i to j, the fewest multiplications, and behind which operand the last product is
        let mut best = vec![vec![(0usize, 0usize); n]; n];
        for len in 1..n {
            for i in 0..n - len {
                let j = i + len;
                let cost = |k: usize| {
                    let product = sizes[i].saturating_mul(sizes[k + 1]).saturating_mul(sizes[j + 1]);
                    best[i][k].0.saturating_add(best[k + 1][j].0).saturating_add(product)
                };
                best[i][j] = (i..j).map(|k| (cost(k), k)).min().unwrap_or_default();
            }
        }
        Self::chained(tensors, &best, 0, n - 1)
    }

    #[track_caller]
    fn chained(tensors: &[&Self], best: &[Vec<(usize, usize)>], i: usize, j: usize) -> Result<Self> {
        if i == j {
            return Ok(tensors[i].clone());
        }
        let (_, k) = best[i][j];
        let (left, right) = (Self::chained(tensors, best, i, k)?, Self::chained(tensors, best, k + 1, j)?);
        left.matmul(&right).map_err(|e| e.within("multi_dot"))
    }

    /// `Aⁿ` of square matrices by squaring; of a negative `n` it is that of the inverse, which needs the
    /// feature `linalg`, and of 0 the identity.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_power.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[1.0, 1.0], [0.0, 1.0]], &Cpu::default())?;
    /// assert_eq!(a.matrix_power(5)?.to_vec::<f32>()?, [1., 5., 0., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_power(&self, n: i64) -> Result<Self> {
        let (_, size) = self.square_matrices("matrix_power")?;
        if n == 0 {
            return self.identity(size)?.broadcast_to(self.shape());
        }
        let mut square = if n < 0 { self.inv().map_err(|e| e.within("matrix_power"))? } else { self.clone() };
        let (mut rest, mut power) = (n.unsigned_abs(), None::<Self>);
        loop {
            if rest % 2 == 1 {
                power = Some(power.map_or(Ok(square.clone()), |power| power.matmul(&square))?);
            }
            rest /= 2;
            match power {
                Some(power) if rest == 0 => return Ok(power),
                _ => square = square.matmul(&square)?,
            }
        }
    }

    /// `e^A = Σ Aᵏ / k!` of square matrices.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[0.0, 1.0], [0.0, 0.0]], &Cpu::default())?;
    /// assert_eq!(a.matrix_exp()?.to_vec::<f32>()?, [1., 1., 0., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_exp(&self) -> Result<Self> {
        self.square_matrices("matrix_exp")?;
        Self::single("matrix_exp", Decomposition::Exp, &[self])
    }
}

/// `∂A` is the block beside the diagonal of `e^M` with `M = (Aᵀ, ∂Y; 0, Aᵀ)`.
/// [Mathias, 1996](https://doi.org/10.1137/S0895479895283409)
pub(super) fn exp_gradient(a: &Symbol, g: &Symbol) -> Result<Symbol> {
    let (at, n) = (a.mt()?, a.size(-1)?);
    let (above, below) = (Symbol::cat(&[&at, g], -1)?, Symbol::cat(&[&at.zeros_like()?, &at], -1)?);
    Symbol::cat(&[&above, &below], -2)?.matrix_exp()?.narrow(-2, 0, n)?.narrow(-1, n, n)
}
