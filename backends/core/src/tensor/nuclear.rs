//! The nuclear norm, without a decomposition: by the polar factor of a matrix, which is made of products alone.
use crate::{
    Backend, CustomOp, DType, Dims, Error, Meta, Metas, Op, Outputs, Result, Shape, SymbolicGradients,
    Symbols, Tensor, Trace, keepdim,
};
use smallvec::smallvec;
use std::{panic::Location, sync::Arc};

impl<B: Backend> Tensor<B> {
    /// The sum of the singular values of the matrices in two dims, which lose these dims. Its gradient is `U Vᵀ` of the
    /// singular value decomposition.
    /// [`torch.norm(x, "nuc")`](https://docs.pytorch.org/docs/stable/generated/torch.norm.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[3.0, 0.0], [0.0, -4.0]], &Cpu::default())?;
    /// assert!((x.nuclear_norm(..)?.item::<f32>()? - 7.).abs() < 1e-5);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn nuclear_norm(&self, dims: impl Into<Dims>) -> Result<Self> {
        let (here, op) = (Location::caller(), "nuclear_norm");
        if !self.dtype().is_float() {
            let why = format!("needs real numbers, not {}: cast with `.float()`", self.dtype());
            return Err(Error::dtype(op, why));
        }
        let (axes, keep) = dims.into().resolve(op, self.shape()).map_err(|e| e.at(here))?;
        let &[rows, columns] = &axes[..] else {
            let why = format!("needs the two dims of matrices, not {} of {}", axes.len(), self.shape());
            return Err(Error::shape(op, why));
        };
        let y = self.in_full_precision(|x| {
            let last = x.movedim([rows as isize, columns as isize], [-2, -1])?;
            Self::one(Op::Custom(Arc::new(NuclearNorm), smallvec![&last]))
        })?;
        if keep { y.reshape(self.meta().reduced(&axes)) } else { Ok(y) }
    }
}

/// `Σ A ∘ Q`, where `A = Q H` with orthogonal `Q` and positive `H`, whose trace it is.
#[derive(Clone, Copy, Debug)]
struct NuclearNorm;

impl CustomOp for NuclearNorm {
    fn name(&self) -> &'static str {
        "nuclear_norm"
    }

    fn infer(&self, xs: &[&Meta]) -> Result<Metas> {
        match xs {
            [Meta { shape, dtype }] if shape.rank() >= 2 => {
                Ok(smallvec![Meta::new(Shape::from(&shape[..shape.rank() - 2]), *dtype)])
            }
            _ => Err(Error::internal(self.name(), "takes one tensor of matrices")),
        }
    }

    fn decompose(&self, xs: Symbols) -> Result<Outputs<Tensor<Trace>>> {
        Ok(smallvec![(&xs[0] * polar(&xs[0])?)?.sum([-2, -1])?])
    }

    /// `d Σ A ∘ Q = Σ dA ∘ Q`: `Σ A ∘ dQ` is nothing, since `Qᵀ dQ` is antisymmetric and `H` symmetric.
    fn gradient(&self, xs: Symbols, _: Symbols, gs: Symbols) -> Result<Option<SymbolicGradients>> {
        Ok(Some(vec![Some((polar(&xs[0])? * gs[0].unsqueeze(-1)?.unsqueeze(-1)?)?)]))
    }
}

/// The orthogonal `Q` that is nearest to each matrix, `U Vᵀ` of `U S Vᵀ`: odd polynomials of the matrix move all of
/// its singular values to 1. What is zero stays.
/// [Jordan et al., Muon](https://kellerjordan.github.io/posts/muon/), for the ones that begin.
fn polar(a: &Tensor<Trace>) -> Result<Tensor<Trace>> {
    // the first ones grow small values 3.4 times each, and leave them between 0.68 and 1.13; the last ones, of Newton and
    // Schulz, then triple the digits that are right
    let growths = if a.dtype() == DType::F64 { 30 } else { 14 };
    let steps = std::iter::repeat_n((3.4445, -4.775, 2.0315), growths);
    let steps = steps.chain(std::iter::repeat_n((15. / 8., -5. / 4., 3. / 8.), 5));
    let wide = a.shape()[a.rank() - 2] < a.shape()[a.rank() - 1];
    let norm = a.norm(2, keepdim([-2, -1]))?;
    let mut q = (a / norm.eq(0)?.where_(1, &norm)?)?;
    for (x, y, z) in steps {
        // (x + y G + z G²) Q with G = Q Qᵀ, or G = Qᵀ Q on the other side, whichever is smaller
        let gram = if wide { q.matmul(&q.mt()?)? } else { q.mt()?.matmul(&q)? };
        let square = gram.matmul(&gram)?;
        let sum = (y * gram.lazy() + z * square.lazy()).eval()?;
        let product = if wide { sum.matmul(&q)? } else { q.matmul(&sum)? };
        q = (x * q.lazy() + &product).eval()?;
    }
    Ok(q)
}
