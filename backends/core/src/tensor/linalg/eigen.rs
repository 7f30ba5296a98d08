//! Eigenvalues and eigenvectors.
use super::{Decomposition, Symbol, Triangle};
use crate::{Backend, Result, Tensor};

impl<B: Backend> Tensor<B> {
    /// `(w, V)` with `A V = V diag w` of symmetric matrices `(.., n, n)`, of which one triangle is read: eigenvalues `(.., n)`
    /// in ascending order, and orthogonal eigenvectors as columns. Of equal eigenvalues the vectors have no gradient.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.eigh.html>
    ///
    /// ```
    /// use firesteel::{Triangle, prelude::*};
    /// let a = Tensor::new([[2.0, 0.0], [0.0, 1.0]], &Cpu::default())?;
    /// let (values, _) = a.eigh(Triangle::Lower)?;
    /// assert_eq!(values.to_vec::<f32>()?, [1., 2.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn eigh(&self, triangle: Triangle) -> Result<(Self, Self)> {
        self.square_matrices("eigh")?;
        let lower = if triangle == Triangle::Upper { self.mt()? } else { self.clone() };
        Self::pair("eigh", Decomposition::Eigh, &[&lower])
    }

    /// The eigenvalues of [`eigh`](Self::eigh) alone, which have a gradient where they are equal too.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.eigvalsh.html>
    ///
    /// ```
    /// use firesteel::{Triangle, prelude::*};
    /// let a = Tensor::new([[0.0, 1.0], [1.0, 0.0]], &Cpu::default())?;
    /// assert!(a.eigvalsh(Triangle::Lower)?.allclose(&Tensor::new([-1.0, 1.0], &Cpu::default())?, Default::default())?);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn eigvalsh(&self, triangle: Triangle) -> Result<Self> {
        Ok(self.eigh(triangle).map_err(|e| e.within("eigvalsh"))?.0)
    }

    /// `(w, V)` with `A V = V diag w` of square matrices: complex eigenvalues `(.., n, 2)` in no order, and eigenvectors of
    /// length 1 as columns `(.., n, n, 2)`; complex numbers are pairs along the last dim. Of equal eigenvalues the vectors have
    /// no gradient, and what is made of vectors must not depend on their phases.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.eig.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let turn = Tensor::new([[0.0, -1.0], [1.0, 0.0]], &Cpu::default())?;
    /// let (values, vectors) = turn.eig()?;
    /// assert_eq!((values.shape(), vectors.shape()), (&Shape::from([2, 2]), &Shape::from([2, 2, 2])));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn eig(&self) -> Result<(Self, Self)> {
        self.square_matrices("eig")?;
        Self::pair("eig", Decomposition::Eig, &[self])
    }

    /// The eigenvalues of [`eig`](Self::eig) alone.
    /// Needs the feature `linalg`.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linalg.eigvals.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let a = Tensor::new([[2.0]], &Cpu::default())?;
    /// assert_eq!(a.eigvals()?.to_vec::<f32>()?, [2., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn eigvals(&self) -> Result<Self> {
        Ok(self.eig().map_err(|e| e.within("eigvals"))?.0)
    }
}

/// `∂A = V (diag ∂w + (Vᵀ ∂V) / E) Vᵀ` with `Eᵢⱼ = wⱼ - wᵢ`, of what is not on the diagonal, made symmetric. What there is
/// nothing of stays nothing, where eigenvalues are equal too. [Giles, 2008](https://people.maths.ox.ac.uk/gilesm/files/NA-08-01.pdf)
pub(super) fn gradient(w: &Symbol, v: &Symbol, gw: &Symbol, gv: &Symbol) -> Result<Symbol> {
    let turn = v.mt()?.matmul(gv)?.over_gaps(w)?;
    let inner = turn.add(gw.diag_embed(0, -2, -1)?)?;
    let whole = v.matmul(&inner)?.matmul(&v.mt()?)?;
    whole.add(whole.mt()?)?.mul(0.5)
}

/// `∂A = V⁻ᴴ (diag ∂w + (Vᴴ ∂V - Vᴴ V Re diag (Vᴴ ∂V)) / E̅) Vᴴ` with `Eᵢⱼ = wⱼ - wᵢ`, of which the real part counts. The
/// second term is there since vectors have length 1. [Boeddeker et al., 2019](https://arxiv.org/abs/1701.00392)
pub(super) fn complex_gradient(w: &Symbol, v: &Symbol, gw: &Symbol, gv: &Symbol) -> Result<Symbol> {
    let n = w.size(-2)?;
    let adjoint = v.turned()?.mt()?;
    let seen = adjoint.matmul(&gv.turned()?)?.unturned()?;
    // V times the real diagonal is V with scaled columns
    let along = seen.select(-1, 0)?.diagonal(0, -2, -1)?.unsqueeze(-2)?.unsqueeze(-1)?;
    let lengths = adjoint.matmul(&v.mul(along)?.turned()?)?.unturned()?;
    let part = |x: &Symbol, i: i64| x.select(-1, i);
    // x / E̅ = x E / |E|²
    let gaps = w.unsqueeze(-3)?.sub(w.unsqueeze(-2)?)?;
    let (re, im) = (part(&gaps, 0)?, part(&gaps, 1)?);
    let squares = re.square()?.add(im.square()?)?;
    let turn = seen.sub(lengths)?;
    let (x, y) = (part(&turn, 0)?, part(&turn, 1)?);
    let products = [x.mul(&re)?.sub(y.mul(&im)?)?, x.mul(&im)?.add(y.mul(&re)?)?];
    let diagonal = w.identity(n)?.ne(0)?;
    let over = |i: usize| {
        let nothing = &(diagonal.lazy() | (products[i].lazy().eq(0) & squares.lazy().eq(0)));
        nothing.where_(0, products[i].lazy() / nothing.where_(1, squares.lazy())).eval()
    };
    let along = |i: i64| part(gw, i)?.diag_embed(0, -2, -1);
    let inner = over(0)?.add(along(0)?)?.complex(&over(1)?.add(along(1)?)?)?;
    let right = inner.turned()?.matmul(&adjoint)?;
    adjoint.solve_ex(&right)?.0.unturned()?.select(-1, 0)
}

impl Symbol {
    /// Complex matrices `(.., m, n, 2)` as real ones, `[[re, -im], [im, re]]`: products, inverses and adjoints are those of
    /// these.
    fn turned(&self) -> Result<Symbol> {
        let (re, im) = (self.select(-1, 0)?, self.select(-1, 1)?);
        let rows = [Symbol::cat(&[&re, &im.neg()?], -1)?, Symbol::cat(&[&im, &re], -1)?];
        Symbol::cat(&[&rows[0], &rows[1]], -2)
    }

    /// Undoes [`turned`](Self::turned).
    fn unturned(&self) -> Result<Symbol> {
        let (m, n) = (self.size(-2)? / 2, self.size(-1)? / 2);
        let left = self.narrow(-1, 0, n)?;
        left.narrow(-2, 0, m)?.complex(&left.narrow(-2, m, m)?)
    }

    /// `xᵢⱼ / (wⱼ - wᵢ)`, nothing on the diagonal, and where equals have nothing between them.
    pub(super) fn over_gaps(&self, w: &Symbol) -> Result<Symbol> {
        let n = w.size(-1)?;
        let gaps = w.unsqueeze(-2)?.sub(w.unsqueeze(-1)?)?;
        let diagonal = self.identity(n)?.ne(0)?;
        let (x, gaps) = (self.lazy(), gaps.lazy());
        let nothing = &(diagonal.lazy() | (x.eq(0) & gaps.eq(0)));
        nothing.where_(0, x / nothing.where_(1, gaps)).eval()
    }
}
