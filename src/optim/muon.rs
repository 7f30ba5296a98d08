//! Muon.
use super::{
    Batch, Rule,
    options::{check, optimizer},
};
use crate::{DType, Differentiable, Error, Expr, Result, Shape, Tensor};

optimizer! {
    /// Momentum made orthogonal by Newton and Schulz (Jordan, [Muon: an optimizer for hidden layers in neural
    /// networks](https://kellerjordan.github.io/posts/muon/), 2024), for matrices alone, with momentum `μ` and weight
    /// decay `λ`:
    ///
    /// ```text
    /// b ← μ b + (1 - μ) g
    /// u = orthogonal((1 - μ) g + μ b)      (without Nesterov's momentum: orthogonal(b))
    /// p ← (1 - lr λ) p - lr · adjusted(shape) · u
    /// ```
    ///
    /// Other parameters are left to another optimizer:
    ///
    /// ```
    /// use firesteel::{nn::Linear, optim::{AdamW, Muon, Optimizer}, prelude::*};
    /// let device = Autodiff::new(Cpu);
    /// let mut model = Linear::new(3, 4, &device)?;
    /// let mut muon = Muon::new(0.02).only(|_, p| p.rank() == 2);
    /// let mut adamw = AdamW::new(1e-3).only(|_, p| p.rank() != 2);
    /// let gradients = model.forward(&Tensor::ones([2, 3], &device)?)?.square()?.sum(..)?.backward()?;
    /// muon.step(&mut model, &gradients)?;
    /// adamw.step(&mut model, &gradients)?;
    /// # use firesteel::nn::Layer;
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    Muon MuonOptions {
        lr: 1e-3,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.1,
        /// The part of the last direction that is kept, from 0 on.
        momentum: f64 = 0.95,
        /// Looks ahead by the momentum.
        nesterov: bool = true,
        /// The coefficients `a, b, c` of the polynomial `a x + b x³ + c x⁵` that brings singular values near 1.
        ns_coefficients: (f64, f64, f64) = (3.4445, -4.775, 2.0315),
        /// The least norm that is divided by, from 0 on.
        eps: f64 = 1e-7,
        /// How often the polynomial is applied: fewer than 100 times.
        ns_steps: usize = 5,
        /// How the learning rate depends on the shape.
        adjust_lr: AdjustLr = AdjustLr::Original,
    }
}

/// How [`Muon`]'s learning rate depends on the shape `(rows, columns)` of a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdjustLr {
    /// `√max(1, rows / columns)`.
    #[default]
    Original,
    /// `0.2 √max(rows, columns)`: steps as large as AdamW's
    /// ([Muon is scalable for LLM training](https://arxiv.org/abs/2502.16982)).
    MatchRmsAdamW,
    /// `√(rows / columns)`.
    SpectralUnclamped,
}

impl AdjustLr {
    fn factor(self, rows: f64, columns: f64) -> f64 {
        match self {
            AdjustLr::Original => (rows / columns).max(1.).sqrt(),
            AdjustLr::MatchRmsAdamW => 0.2 * rows.max(columns).sqrt(),
            AdjustLr::SpectralUnclamped => (rows / columns).sqrt(),
        }
    }
}

const BUFFER: &str = "momentum_buffer";

impl MuonOptions {
    /// The matrix with all singular values near 1, in BF16: `X ← a X + (b X Xᵀ + c (X Xᵀ)²) X`, some times.
    fn orthogonal<D: Differentiable>(&self, x: &Tensor<D>) -> Result<Tensor<D>> {
        let (a, b, c) = self.ns_coefficients;
        let is_tall = x.size(0)? > x.size(1)?;
        let x = if is_tall { x.t()? } else { x.clone() }.to(DType::BF16)?;
        // products are added up and joined in F32, and rounded once
        let rounded = |x: Tensor<D>| x.to(DType::BF16)?.to(DType::F32);
        let norm = rounded(x.norm(2, ..)?.to(DType::F32)?)?;
        let mut x = rounded((x.to(DType::F32)?.lazy() / norm.lazy().maximum(self.eps)).eval()?)?;
        for _ in 0..self.ns_steps {
            let gram = rounded(x.matmul(&x.t()?)?)?;
            let square = gram.matmul(&gram)?;
            let update = rounded((gram.lazy() * b + square.lazy() * c).eval()?)?;
            let moved = update.matmul(&x)?;
            x = rounded((x.lazy() * a + moved.lazy()).eval()?)?;
        }
        if is_tall { x.t() } else { Ok(x) }
    }
}

impl Rule for MuonOptions {
    fn check(&self) -> Result<()> {
        let numbers = [
            ("lr", self.lr),
            ("momentum", self.momentum),
            ("weight_decay", self.weight_decay),
            ("eps", self.eps),
        ];
        check("Muon", numbers, 0.0..)?;
        let (a, b, c) = self.ns_coefficients;
        check(
            "Muon",
            [("ns_coefficients.0", a), ("ns_coefficients.1", b), ("ns_coefficients.2", c)],
            f64::MIN..,
        )?;
        check("Muon", [("ns_steps", self.ns_steps as f64)], ..100.0)
    }

    fn rates(&mut self) -> (&mut f64, Option<&mut f64>) {
        (&mut self.lr, Some(&mut self.momentum))
    }

    fn tensors(&self, _: &Shape) -> Vec<&'static str> {
        vec![BUFFER]
    }

    fn takes(&self, parameter: &Shape) -> Result<()> {
        if parameter.rank() == 2 {
            return Ok(());
        }
        Err(Error::shape("Muon", "only matrices have an orthogonal step: use `only`, and another optimizer"))
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        batch.each(|p, gradient, state| {
            let Self { lr, momentum, weight_decay, nesterov, .. } = *self;
            let [buffer] = state.tensors([BUFFER], p)?;
            Expr::update([buffer], |[b]| [b.clone() + (gradient.lazy() - b) * (1. - momentum)])?;
            let direction = match nesterov {
                true => (gradient.lazy() + (buffer.lazy() - gradient) * momentum).eval()?,
                false => buffer.clone(),
            };
            let step = self.orthogonal(&direction)?.to(p.dtype())?;
            let rate = lr * self.adjust_lr.factor(p.size(0)? as f64, p.size(1)? as f64);
            Expr::update([p], |[p]| [p * (1. - lr * weight_decay) - step.lazy() * rate])
        })
    }
}
