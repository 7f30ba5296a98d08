//! The way back through all steps of a recurrent net.
use super::{graph::Rule, rules::product};
use firesteel_core::{Backend, Error, Fused, Op, Operands, Outputs, Result, Tensor};
use smallvec::smallvec;

/// What the gradient of [`Fused::Lstm`] reads: its operands, and its results.
pub(super) struct Lstm<B: Backend> {
    /// `x, w, u, h₀, c₀, b?`
    pub operands: Operands<Tensor<B>>,
    /// `y, c, gates?`
    pub results: Outputs<Tensor<B>>,
}

/// `ds`, `dh₀` and `dc₀` are those of [`Fused::LstmGrad`], of the sums `sₜ = xₜ wᵀ + yₜ₋₁ uᵀ + b`, so that
/// `dx = ds w`, `dw = Σ dsₜᵀ xₜ`, `du = Σ dsₜᵀ yₜ₋₁` and `db = Σ dsₜ`.
pub(super) fn lstm<B: Backend>(lstm: Lstm<B>, wants: &[bool]) -> Rule<B> {
    let wants = wants.to_vec();
    Rule::Joint(Box::new(move |received| {
        let ([x, w, u, h0, c0, ..], [y, c, ..]) = (&lstm.operands[..], &lstm.results[..]) else {
            return Err(Error::internal(
                "lstm",
                "was recorded with operands or results that it does not have",
            ));
        };
        let zeros = |i: usize| match received.get(i) {
            Some(Some(g)) => Ok(g.clone()),
            _ => y.zeros_like(),
        };
        let (dy, dc, gates) = (zeros(0)?, zeros(1)?, lstm.gates()?);
        let mut given: Operands<&Tensor<B>> = smallvec![u, c0, c, &gates, &dy, &dc];
        given.extend(received.get(2).and_then(Option::as_ref));
        let found = Tensor::apply(Op::Fused(Fused::LstmGrad, given))?;
        let [ds, dh0, dc0] = &found[..] else {
            return Err(Error::internal("lstm", "has three gradients"));
        };
        let rows = ds.flatten(0, 1)?;
        let sums = |with: &Tensor<B>| product(&rows.t()?, &with.flatten(0, 1)?);
        let operand = |i: usize| match i {
            0 => product(&rows, w)?.reshape(x.shape()),
            1 => sums(x),
            2 => sums(&before(h0, y)?),
            3 => Ok(dh0.clone()),
            4 => Ok(dc0.clone()),
            _ => rows.sum(0),
        };
        wants.iter().enumerate().map(|(i, &wanted)| wanted.then(|| operand(i)).transpose()).collect()
    }))
}

impl<B: Backend> Lstm<B> {
    /// The gates of all steps, once more where they were not kept.
    fn gates(&self) -> Result<Tensor<B>> {
        if let Some(gates) = self.results.get(2) {
            return Ok(gates.clone());
        }
        let again = Tensor::apply(Op::Fused(Fused::Lstm { gates: true }, self.operands.iter().collect()))?;
        again.into_iter().nth(2).ok_or_else(|| Error::internal("lstm", "gave no gates"))
    }
}

/// The state before each step.
fn before<B: Backend>(h0: &Tensor<B>, y: &Tensor<B>) -> Result<Tensor<B>> {
    Tensor::cat(&[&h0.unsqueeze(0)?, &y.narrow(0, 0, y.shape()[0] - 1)?], 0)
}
