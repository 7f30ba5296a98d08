//! The way back through all steps of a recurrent net.
use super::{graph::Rule, rules::product};
use firesteel_core::{Backend, Error, Fused, Op, Operands, Outputs, Result, Tensor};
use smallvec::smallvec;

/// What the gradient of all steps reads: the operation's operands, and its results.
pub(super) struct Steps<B: Backend> {
    /// `x, w, u`, the states before the first step, and biases.
    pub operands: Operands<Tensor<B>>,
    /// The states after each step, and maybe the gates.
    pub results: Outputs<Tensor<B>>,
}

/// `ds`, `dh₀` and `dc₀` are those of [`Fused::LstmGrad`], of the sums `sₜ = xₜ wᵀ + yₜ₋₁ uᵀ + b`, so that
/// `dx = ds w`, `dw = Σ dsₜᵀ xₜ`, `du = Σ dsₜᵀ yₜ₋₁` and `db = Σ dsₜ`.
pub(super) fn lstm<B: Backend>(steps: Steps<B>, wants: &[bool]) -> Rule<B> {
    let wants = wants.to_vec();
    Rule::Joint(Box::new(move |received| {
        let found = steps.back(2, [Fused::Lstm { gates: true }, Fused::LstmGrad], received)?;
        let ([x, w, _, h0, ..], [y, ..], [ds, dh0, dc0]) =
            (&steps.operands[..], &steps.results[..], &found[..])
        else {
            return Err(wrong());
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
        each(&wants, operand)
    }))
}

/// `ds = (dm, ds_r, ds_z, ds_g)` and `dh₀` are those of [`Fused::GruGrad`]. The last three are of the sums with the input's
/// part `xₜ wᵀ + b`, and the first three of those with the state's, `yₜ₋₁ uᵀ + d`, where they are `(ds_r, ds_z, dm)`. So
/// `dx = ds w`, `dw = Σ dsₜᵀ xₜ`, `du = Σ dsₜᵀ yₜ₋₁`, and `db` and `dd` are `Σ dsₜ`, each of its own three.
pub(super) fn gru<B: Backend>(steps: Steps<B>, wants: &[bool]) -> Rule<B> {
    let wants = wants.to_vec();
    Rule::Joint(Box::new(move |received| {
        let found = steps.back(1, [Fused::Gru { gates: true }, Fused::GruGrad], received)?;
        let ([x, w, _, h0, ..], [y, ..], [ds, dh0]) = (&steps.operands[..], &steps.results[..], &found[..])
        else {
            return Err(wrong());
        };
        let (rows, hidden) = (ds.flatten(0, 1)?, h0.shape()[1]);
        let of_inputs = |all: &Tensor<B>| all.narrow(-1, hidden, 3 * hidden);
        let of_states = |all: &Tensor<B>| all.narrow(-1, 0, 3 * hidden);
        let ordered = |thirds: Tensor<B>| {
            Tensor::cat(&[&thirds.narrow(0, hidden, 2 * hidden)?, &thirds.narrow(0, 0, hidden)?], 0)
        };
        let sums = |part: Tensor<B>, with: &Tensor<B>| product(&part.t()?, &with.flatten(0, 1)?);
        let all = wants.iter().skip(4).any(|&wanted| wanted).then(|| rows.sum(0)).transpose()?;
        let bias = || all.as_ref().ok_or_else(wrong);
        let operand = |i: usize| match i {
            0 => product(&of_inputs(&rows)?, w)?.reshape(x.shape()),
            1 => sums(of_inputs(&rows)?, x),
            2 => ordered(sums(of_states(&rows)?, &before(h0, y)?)?),
            3 => Ok(dh0.clone()),
            4 => of_inputs(bias()?),
            _ => ordered(of_states(bias()?)?),
        };
        each(&wants, operand)
    }))
}

impl<B: Backend> Steps<B> {
    /// The way back through all steps, by an operation that reads the gates; the other is the one that gives them. So many
    /// states go from step to step, and of the last of them each step reads the one before it.
    fn back(
        &self,
        states: usize,
        [forth, back]: [Fused; 2],
        received: &[Option<Tensor<B>>],
    ) -> Result<Outputs<Tensor<B>>> {
        let (Some(u), Some(first), Some(last)) =
            (self.operands.get(2), self.operands.get(2 + states), self.results.get(states - 1))
        else {
            return Err(wrong());
        };
        let down = |i: usize| match received.get(i) {
            Some(Some(g)) => Ok(g.clone()),
            _ => last.zeros_like(),
        };
        let (gates, down) =
            (self.gates(states, forth)?, (0..states).map(down).collect::<Result<Outputs<_>>>()?);
        let mut given: Operands<&Tensor<B>> = smallvec![u, first, last, &gates];
        given.extend(&down);
        given.extend(received.get(states).and_then(Option::as_ref));
        Tensor::apply(Op::Fused(back, given))
    }

    /// The gates of all steps, once more where they were not kept.
    fn gates(&self, at: usize, forth: Fused) -> Result<Tensor<B>> {
        if let Some(gates) = self.results.get(at) {
            return Ok(gates.clone());
        }
        let again = Tensor::apply(Op::Fused(forth, self.operands.iter().collect()))?;
        again.into_iter().nth(at).ok_or_else(wrong)
    }
}

/// The gradients that are wanted.
fn each<B: Backend>(
    wants: &[bool],
    operand: impl Fn(usize) -> Result<Tensor<B>>,
) -> Result<Vec<Option<Tensor<B>>>> {
    wants.iter().enumerate().map(|(i, &wanted)| wanted.then(|| operand(i)).transpose()).collect()
}

/// The state before each step.
fn before<B: Backend>(h0: &Tensor<B>, y: &Tensor<B>) -> Result<Tensor<B>> {
    Tensor::cat(&[&h0.unsqueeze(0)?, &y.narrow(0, 0, y.shape()[0] - 1)?], 0)
}

fn wrong() -> Error {
    Error::internal("recurrent", "was recorded with operands or results that it does not have")
}
