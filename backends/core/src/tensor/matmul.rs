//! Products of vectors and matrices.
use crate::{Backend, Error, Fused, Op, Result, Scalar, Shape, Tensor, keepdim};
use smallvec::smallvec;
use std::panic::Location;

/// The factors of `beta · input + alpha · product`. With `beta` 0 the input does not count, even where it is
/// not a number.
///
/// ```
/// use firesteel::{Factors, Scalar};
/// assert_eq!(Factors::default().alpha, Scalar::Int(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// Of the tensor that is added to.
    pub beta: Scalar,
    /// Of the product.
    pub alpha: Scalar,
}

impl Default for Factors {
    fn default() -> Self {
        Self { beta: Scalar::Int(1), alpha: Scalar::Int(1) }
    }
}

impl<B: Backend> Tensor<B> {
    /// The product by the rules of Python's `@`: matrices, batches of them (leading dims broadcast), and
    /// vectors, which count as a row on the left and as a column on the right.
    /// [`torch.matmul`](https://docs.pytorch.org/docs/stable/generated/torch.matmul.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let a = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &cpu)?;
    /// let b = Tensor::new([1.0, -1.0], &cpu)?;
    /// assert_eq!(a.matmul(&b)?.to_vec::<f32>()?, [-1., -1.]);
    /// assert_eq!(a.matmul(&a)?.to_vec::<f32>()?, [7., 10., 15., 22.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        if self.rank() == 0 || other.rank() == 0 {
            let why = format!("{} and {} have to have dims: use `mul`", self.shape(), other.shape());
            return Err(Error::shape("matmul", why));
        }
        let a = if self.rank() == 1 { self.unsqueeze(0)? } else { self.clone() };
        let b = if other.rank() == 1 { other.unsqueeze(-1)? } else { other.clone() };
        let y = a.batched(&b)?;
        match (self.rank(), other.rank()) {
            (1, 1) => y.shaped(Shape::scalar()),
            (1, _) => y.without(&smallvec![y.rank() - 2]),
            (_, 1) => y.without(&smallvec![y.rank() - 1]),
            _ => Ok(y),
        }
    }

    /// `[.., m, k] · [.., k, n]`, with leading dims broadcast.
    #[track_caller]
    fn batched(&self, other: &Self) -> Result<Self> {
        let ([batch @ .., m, k], [others @ .., _, n]) = (&self.shape()[..], &other.shape()[..]) else {
            return Err(Error::internal("matmul", "operands are no matrices"));
        };
        if batch == others {
            return Self::one(Op::MatMul(self, other));
        }
        if others.is_empty() {
            // one matrix for all: their rows are rows of one large matrix
            let rows = batch.iter().chain([m]).copied().fold(1, usize::saturating_mul);
            let product = Self::one(Op::MatMul(&self.shaped([rows, *k].into())?, other))?;
            return product.shaped(batch.iter().chain([m, n]).copied().collect());
        }
        let Some(common) = Shape::from(batch).broadcast(&others.into()) else {
            let why = format!(
                "cannot multiply {} by {}: the leading sizes {batch:?} and {others:?} do not broadcast",
                self.shape(),
                other.shape()
            );
            return Err(Error::shape("matmul", why));
        };
        let stretched = |x: &Self| {
            let matrix = &x.shape()[x.rank() - 2..];
            x.broadcast_to(common.iter().chain(matrix).copied().collect::<Shape>())
        };
        Self::one(Op::MatMul(&stretched(self)?, &stretched(other)?))
    }

    /// The product of two matrices: `[m, k] · [k, n] -> [m, n]`.
    /// [`torch.mm`](https://docs.pytorch.org/docs/stable/generated/torch.mm.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &Cpu::default())?;
    /// assert_eq!(a.mm(&a)?.to_vec::<f32>()?, [7., 10., 15., 22.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn mm(&self, other: &Self) -> Result<Self> {
        self.product("mm", other, 2, 2)
    }

    /// The product of two matrices of I8 in I32, `[m, k] · [k, n] -> [m, n]`, or of as many of them on both sides,
    /// `[.., m, k] · [.., k, n] -> [.., m, n]`. Sums that leave 32 bits wrap. Other dtypes, and sizes that do not fit, are
    /// errors; leading dims do not broadcast.
    /// [`torch._int_mm`](https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/native_functions.yaml)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[100i8, -128], [3, 4]], &Cpu::default())?;
    /// let y = a.int_mm(&a)?;
    /// assert_eq!((y.dtype(), y.to_vec::<i32>()?), (DType::I32, vec![9616, -13312, 312, -368]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn int_mm(&self, other: &Self) -> Result<Self> {
        Self::one(Op::Fused(Fused::IntMm, smallvec![self, other]))
    }

    /// The products of two batches of matrices: `[b, m, k] · [b, k, n] -> [b, m, n]`.
    /// [`torch.bmm`](https://docs.pytorch.org/docs/stable/generated/torch.bmm.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[[1.0, 2.0]], [[3.0, 4.0]]], &Cpu::default())?;
    /// assert_eq!(a.bmm(&a.mt()?)?.to_vec::<f32>()?, [5., 25.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn bmm(&self, other: &Self) -> Result<Self> {
        if self.rank() == 3 && other.rank() == 3 && self.shape()[0] != other.shape()[0] {
            let why = format!("{} and {} are not as many matrices", self.shape(), other.shape());
            return Err(Error::shape("bmm", why));
        }
        self.product("bmm", other, 3, 3)
    }

    /// The product of a matrix and a vector: `[m, k] · [k] -> [m]`.
    /// [`torch.mv`](https://docs.pytorch.org/docs/stable/generated/torch.mv.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (a, x) = (Tensor::new([[1.0, 2.0], [3.0, 4.0]], &cpu)?, Tensor::new([1.0, 1.0], &cpu)?);
    /// assert_eq!(a.mv(&x)?.to_vec::<f32>()?, [3., 7.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn mv(&self, vector: &Self) -> Result<Self> {
        self.product("mv", vector, 2, 1)
    }

    /// `Σ xᵢ yᵢ` of two vectors.
    /// [`torch.dot`](https://docs.pytorch.org/docs/stable/generated/torch.dot.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1.0, 2.0], &cpu)?, Tensor::new([3.0, 4.0], &cpu)?);
    /// assert_eq!(x.dot(&y)?.item::<f32>()?, 11.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn dot(&self, other: &Self) -> Result<Self> {
        self.product("dot", other, 1, 1)
    }

    /// As [`dot`](Self::dot): of real numbers they are the same.
    /// [`torch.vdot`](https://docs.pytorch.org/docs/stable/generated/torch.vdot.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.vdot(&x)?.item::<f32>()?, 5.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn vdot(&self, other: &Self) -> Result<Self> {
        self.product("vdot", other, 1, 1)
    }

    /// `Σ` over the last dims of both, which have one size: `[.., k], [‥, k] -> [.., ‥]`. With a number, the
    /// product.
    /// [`torch.inner`](https://docs.pytorch.org/docs/stable/generated/torch.inner.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &Cpu::default())?;
    /// assert_eq!(x.inner(&x)?.to_vec::<f32>()?, [5., 11., 11., 25.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn inner(&self, other: &Self) -> Result<Self> {
        let here = Location::caller();
        if self.rank() == 0 || other.rank() == 0 {
            return self.mul(other);
        }
        self.tensordot(other, [-1], [-1]).map_err(|e| e.within("inner").at(here))
    }

    /// `xᵢ yⱼ` of two vectors: `[m], [n] -> [m, n]`.
    /// [`torch.outer`](https://docs.pytorch.org/docs/stable/generated/torch.outer.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2], &cpu)?, Tensor::new([3, 4], &cpu)?);
    /// assert_eq!(x.outer(&y)?.to_vec::<i64>()?, [3, 4, 6, 8]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn outer(&self, other: &Self) -> Result<Self> {
        ranks("outer", self, other, 1, 1)?;
        self.unsqueeze(-1)?.mul(other)
    }

    /// `beta · self + alpha · (a · b)` of matrices.
    /// [`torch.addmm`](https://docs.pytorch.org/docs/stable/generated/torch.addmm.html)
    ///
    /// ```
    /// use firesteel::{Factors, prelude::*};
    /// let a = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &Cpu::default())?;
    /// let y = a.addmm(&a, &a, Factors { beta: 10.into(), ..Default::default() })?;
    /// assert_eq!(y.to_vec::<f32>()?, [17., 30., 45., 62.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn addmm(&self, a: &Self, b: &Self, factors: Factors) -> Result<Self> {
        self.plus("addmm", a.mm(b)?, factors)
    }

    /// `beta · self + alpha · (matrix · vector)`.
    /// [`torch.addmv`](https://docs.pytorch.org/docs/stable/generated/torch.addmv.html)
    ///
    /// ```
    /// use firesteel::{Factors, prelude::*};
    /// let cpu = Cpu::default();
    /// let (a, x) = (Tensor::new([[1.0, 2.0], [3.0, 4.0]], &cpu)?, Tensor::new([1.0, 1.0], &cpu)?);
    /// assert_eq!(x.addmv(&a, &x, Factors::default())?.to_vec::<f32>()?, [4., 8.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn addmv(&self, matrix: &Self, vector: &Self, factors: Factors) -> Result<Self> {
        self.plus("addmv", matrix.mv(vector)?, factors)
    }

    /// `beta · self + alpha · Σ aᵢ · bᵢ` over batches of matrices.
    /// [`torch.addbmm`](https://docs.pytorch.org/docs/stable/generated/torch.addbmm.html)
    ///
    /// ```
    /// use firesteel::{Factors, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, a) = (Tensor::new([[1.0]], &cpu)?, Tensor::new([[[2.0]], [[3.0]]], &cpu)?);
    /// assert_eq!(x.addbmm(&a, &a, Factors::default())?.item::<f32>()?, 14.);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn addbmm(&self, a: &Self, b: &Self, factors: Factors) -> Result<Self> {
        ranks("addbmm", a, b, 3, 3)?;
        // the sum over the batch joins that over the inner size: [m, b k] · [b k, n]
        let here = Location::caller();
        let product = a.tensordot(b, [0, 2], [0, 1]).map_err(|e| e.within("addbmm").at(here))?;
        self.plus("addbmm", product, factors)
    }

    /// `beta · self + alpha · (a · b)` of batches of matrices.
    /// [`torch.baddbmm`](https://docs.pytorch.org/docs/stable/generated/torch.baddbmm.html)
    ///
    /// ```
    /// use firesteel::{Factors, prelude::*};
    /// let cpu = Cpu::default();
    /// let (x, a) = (Tensor::new([[[1.0]]], &cpu)?, Tensor::new([[[2.0]], [[3.0]]], &cpu)?);
    /// assert_eq!(x.baddbmm(&a, &a, Factors::default())?.to_vec::<f32>()?, [5., 10.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn baddbmm(&self, a: &Self, b: &Self, factors: Factors) -> Result<Self> {
        self.plus("baddbmm", a.bmm(b)?, factors)
    }

    /// `beta · self + alpha · xᵢ yⱼ` of two vectors.
    /// [`torch.addr`](https://docs.pytorch.org/docs/stable/generated/torch.addr.html)
    ///
    /// ```
    /// use firesteel::{Factors, prelude::*};
    /// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// assert_eq!(x.addr(&x, &x, Factors::default())?.to_vec::<f32>()?, [2., 4., 3., 6.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn addr(&self, x: &Self, y: &Self, factors: Factors) -> Result<Self> {
        self.plus("addr", x.outer(y)?, factors)
    }

    /// The vector at right angles to two of three elements along a dim, by default the first of size three.
    /// Other dims broadcast.
    /// [`torch.cross`](https://docs.pytorch.org/docs/stable/generated/torch.cross.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 0, 0], &cpu)?, Tensor::new([0, 1, 0], &cpu)?);
    /// assert_eq!(x.cross(&y, None)?.to_vec::<i64>()?, [0, 0, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn cross(&self, other: &Self, dim: impl Into<Option<isize>>) -> Result<Self> {
        let shape = self.common_shape("cross", other)?;
        let (a, b) = (self.broadcast_to(&shape)?, other.broadcast_to(&shape)?);
        let dim = match dim.into() {
            Some(dim) => dim,
            None => shape.iter().position(|&size| size == 3).map_or(-1, |axis| axis as isize),
        };
        if a.size(dim)? != 3 {
            return Err(Error::shape("cross", format!("dim {dim} of {shape} does not have size 3")));
        }
        // (a × b)ᵢ = aᵢ₊₁ bᵢ₊₂ - aᵢ₊₂ bᵢ₊₁, with indices modulo 3
        let next = |x: &Self, by: i64| x.roll(-by, dim);
        next(&a, 1)?.mul(next(&b, 2)?)?.sub(next(&a, 2)?.mul(next(&b, 1)?)?)
    }

    /// `Σ` over pairs of dims: dim `dims[i]` of this tensor with dim `others[i]` of the other. What is left of
    /// this tensor comes first, then what is left of the other.
    /// [`torch.tensordot`](https://docs.pytorch.org/docs/stable/generated/torch.tensordot.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::ones([3, 4, 5], &cpu)?, Tensor::ones([4, 3, 2], &cpu)?);
    /// assert_eq!(x.tensordot(&y, [1, 0], [0, 1])?.shape(), &[5, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn tensordot(
        &self,
        other: &Self,
        dims: impl Into<crate::Dims>,
        others: impl Into<crate::Dims>,
    ) -> Result<Self> {
        let (mine, theirs) = (self.axes("tensordot", dims)?, other.axes("tensordot", others)?);
        let (a, b) = (self.summed_for(&mine, other, &theirs)?, other.summed_for(&theirs, self, &mine)?);
        a.contracted(&b, mine, theirs)
    }

    /// Summed over those of `axes` whose counterpart has size one: it goes with the sum of all.
    #[track_caller]
    fn summed_for(&self, axes: &[usize], other: &Self, others: &[usize]) -> Result<Self> {
        let single = |(_, theirs): &(&usize, &usize)| other.shape()[**theirs] == 1;
        let pairs = axes.iter().zip(others).filter(single);
        let summed: Vec<usize> =
            pairs.map(|(&mine, _)| mine).filter(|&axis| self.shape()[axis] != 1).collect();
        if summed.is_empty() { Ok(self.clone()) } else { self.sum(keepdim(summed))?.to(self.dtype()) }
    }

    /// The sum over pairs of axes of equal size.
    #[track_caller]
    fn contracted(&self, other: &Self, mine: crate::Axes, theirs: crate::Axes) -> Result<Self> {
        let sizes = |x: &Self, axes: &[usize]| axes.iter().map(|&axis| x.shape()[axis]).collect::<Shape>();
        let (inner, same) = (sizes(self, &mine), sizes(other, &theirs));
        if inner != same {
            let why = format!("the sizes {inner} of {} and {same} of {} differ", self.shape(), other.shape());
            return Err(Error::shape("tensordot", why));
        }
        let rows: crate::Axes = (0..self.rank()).filter(|axis| !mine.contains(axis)).collect();
        let columns: crate::Axes = (0..other.rank()).filter(|axis| !theirs.contains(axis)).collect();
        let (m, n) = (sizes(self, &rows), sizes(other, &columns));
        let result = m.iter().chain(&n).copied().collect();
        let a = self
            .ordered(rows.into_iter().chain(mine).collect())?
            .shaped([m.numel(), inner.numel()].into())?;
        let b = other.ordered(theirs.into_iter().chain(columns).collect())?;
        Self::one(Op::MatMul(&a, &b.shaped([inner.numel(), n.numel()].into())?))?.shaped(result)
    }

    /// Kronecker's product: each element of this tensor times all of the other.
    /// [`torch.kron`](https://docs.pytorch.org/docs/stable/generated/torch.kron.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// let (x, y) = (Tensor::new([1, 2], &cpu)?, Tensor::new([3, 4], &cpu)?);
    /// assert_eq!(x.kron(&y)?.to_vec::<i64>()?, [3, 4, 6, 8]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn kron(&self, other: &Self) -> Result<Self> {
        let rank = self.rank().max(other.rank());
        let size =
            |x: &Self, axis: usize| (axis + x.rank()).checked_sub(rank).map_or(1, |axis| x.shape()[axis]);
        let result = (0..rank).map(|axis| size(self, axis).saturating_mul(size(other, axis))).collect();
        // [m] times [n] is [m, 1] times [1, n], seen as [m n], along each dim
        let apart = |x: &Self, pair: fn(usize) -> [usize; 2]| {
            x.shaped((0..rank).flat_map(|axis| pair(size(x, axis))).collect())
        };
        apart(self, |m| [m, 1])?.mul(&apart(other, |n| [1, n])?)?.shaped(result)
    }

    /// A product of operands of these ranks.
    #[track_caller]
    fn product(&self, op: &'static str, other: &Self, left: usize, right: usize) -> Result<Self> {
        let here = Location::caller();
        ranks(op, self, other, left, right)?;
        self.matmul(other).map_err(|e| e.within(op).at(here))
    }

    /// `beta · self + alpha · product`, in the shape of the product.
    #[track_caller]
    fn plus(&self, op: &'static str, product: Self, Factors { beta, alpha }: Factors) -> Result<Self> {
        if self.dtype() != product.dtype() {
            let why = format!("cannot add {} to {}: cast with `.to(..)`", product.dtype(), self.dtype());
            return Err(Error::dtype(op, why));
        }
        if product.shape().broadcast(self.shape()).as_ref() != Some(product.shape()) {
            let why = format!("{} does not stretch to the product's {}", self.shape(), product.shape());
            return Err(Error::shape(op, why));
        }
        let product = product.scaled(op, alpha)?;
        if beta.to_f64() == 0. { Ok(product) } else { product.add(&self.scaled(op, beta)?) }
    }
}

/// Operands of these ranks have to be there.
#[track_caller]
fn ranks<B: Backend>(
    op: &'static str,
    a: &Tensor<B>,
    b: &Tensor<B>,
    left: usize,
    right: usize,
) -> Result<()> {
    if (a.rank(), b.rank()) == (left, right) {
        return Ok(());
    }
    let why = format!("needs {left} dims and {right}, not {} and {}", a.shape(), b.shape());
    Err(Error::shape(op, why))
}
