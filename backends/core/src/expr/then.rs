//! A formula of what a layer gives, in the layer's own pass.
use super::{Expr, Node, plan::Plan};
use crate::{Backend, Error, Fused, Op, Result, Tensor, infer};

impl<B: Backend> Tensor<B> {
    /// `f(x Wᵀ + b)`, element by element: [`linear`](Self::linear) and a formula of its result, which a backend may compute
    /// on each part of the result as soon as it is there. The result has the layer's dtype and shape, to which tensors in the
    /// formula are broadcast. Gradients are those of the parts.
    ///
    /// In PyTorch it takes `torch.compile` to join an activation to a layer.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let (x, w) = (Tensor::new([1.0, -2.0], &Cpu)?, Tensor::new([[1.0, 1.0], [3.0, 0.0]], &Cpu)?);
    /// let b = Tensor::new([0.5, 0.5], &Cpu)?;
    /// assert_eq!(x.linear_then(&w, Some(&b), |y| y.relu() + &x)?.to_vec::<f32>()?, [1., 1.5]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn linear_then(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        f: impl FnOnce(Expr<B>) -> Expr<B>,
    ) -> Result<Self> {
        let layer = || [self, weight].into_iter().chain(bias);
        let out = infer(Op::Fused(Fused::Linear, layer().map(Tensor::meta).collect()))?;
        let Plan { op, leaves, shape, dtype } = Plan::new(&[f(Expr(Node::Named(0)))], &out)?;
        let Op::Fused(Fused::Chain(program), _) = op else {
            return Err(Error::internal("linear_then", "a formula is a chain"));
        };
        if shape != out[0].shape || dtype != out[0].dtype {
            let why = format!("a formula in {} {} does not follow a layer's {}", dtype, shape, out[0]);
            return Err(Error::shape("linear_then", why));
        }
        Self::one(Op::Fused(Fused::LinearThen(program), layer().chain(&leaves).collect()))
    }
}
