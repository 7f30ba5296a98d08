//! Scaled dot-product attention, whose probabilities are computed again from the logarithm of their
//! denominators instead of being kept.
//!
//! With `s = scale · q kᵀ + mask`, `p = e^(s - lse)` and `y = p v`:
//! ```text
//! dv = pᵀ g,    ds = p (g vᵀ - Σ g y + λ),    dq = scale · ds k,    dk = scale · dsᵀ q,    dmask = ds
//! ```
//! where `λ` is the gradient of `lse`. Dao et al., [FlashAttention](https://arxiv.org/abs/2205.14135), 2022.
use super::{graph::Rule, rules::product};
use firesteel_core::{Backend, DType, Op, Result, Scalar, Tensor, keepdim};

pub(super) struct Attention<B: Backend> {
    pub q: Tensor<B>,
    pub k: Tensor<B>,
    pub v: Tensor<B>,
    pub mask: Option<Tensor<B>>,
    pub scale: f64,
    pub causal: bool,
}

pub(super) fn attention<B: Backend>(
    operands: Attention<B>,
    y: Tensor<B>,
    lse: Tensor<B>,
    wants: &[bool],
) -> Rule<B> {
    let wants = wants.to_vec();
    Rule::Joint(Box::new(move |received| {
        let [g, lambda] = received else { return Ok(vec![None; wants.len()]) };
        let Attention { q, k, v, scale, .. } = &operands;
        let p = operands.probabilities(&lse)?;
        let slope = slope(&p, v, &y, g.as_ref(), lambda.as_ref())?;
        let operand = |i: usize| match (i, &slope, g) {
            (0, Some(ds), _) => (product(ds, k)? * *scale).map(Some),
            (1, Some(ds), _) => (product(&ds.transpose(-2, -1)?, q)? * *scale).map(Some),
            (2, _, Some(g)) => product(&p.transpose(-2, -1)?, g).map(Some),
            (3, slope, _) => Ok(slope.clone()),
            _ => Ok(None),
        };
        wants.iter().enumerate().map(|(i, &wanted)| if wanted { operand(i) } else { Ok(None) }).collect()
    }))
}

/// `ds`, where anything comes to it.
fn slope<B: Backend>(
    p: &Tensor<B>,
    v: &Tensor<B>,
    y: &Tensor<B>,
    g: Option<&Tensor<B>>,
    lambda: Option<&Tensor<B>>,
) -> Result<Option<Tensor<B>>> {
    let Some(g) = g else {
        return lambda.map(|lambda| p * lambda).transpose();
    };
    let total = (g * y)?.sum(keepdim(-1))?;
    let total = match lambda {
        Some(lambda) => (total - lambda)?,
        None => total,
    };
    let dp = product(g, &v.transpose(-2, -1)?)?;
    (p.lazy() * (dp.lazy() - &total)).eval().map(Some)
}

impl<B: Backend> Attention<B> {
    /// `e^(s - lse)`, which is zero throughout a row that keeps nothing.
    fn probabilities(&self, lse: &Tensor<B>) -> Result<Tensor<B>> {
        let mut s = product(&self.q, &self.k.transpose(-2, -1)?)?.lazy() * self.scale;
        if let Some(mask) = &self.mask {
            s = match mask.dtype() {
                DType::Bool => mask.lazy().where_(s, f64::NEG_INFINITY),
                _ => s + mask,
            };
        }
        if self.causal {
            s = self.seen()?.lazy().where_(s, f64::NEG_INFINITY);
        }
        let lse = lse.eq(f64::NEG_INFINITY)?.where_(0.0, lse)?;
        (s - &lse).exp().eval()
    }

    /// Which keys stand no later than each query.
    fn seen(&self) -> Result<Tensor<B>> {
        let count = |x: &Tensor<B>| {
            let (start, step, len) = (Scalar::Int(0), Scalar::Int(1), x.size(-2)?);
            Tensor::make(self.q.backend(), Op::Arange { start, step, len, dtype: DType::I32 })
        };
        count(&self.k)?.le(&count(&self.q)?.unsqueeze(1)?)
    }
}
