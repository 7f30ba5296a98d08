//! The steps of a recurrent net.
use super::{full, rounded};
use crate::{Backend, Error, Expr, Op, Outputs, Result, Tensor};

/// Step by step, `i, f, g, o = xₜ wᵀ + yₜ₋₁ uᵀ + b` through `σ` or `tanh`, `cₜ = f cₜ₋₁ + i g` and `yₜ = o tanh cₜ`.
pub fn lstm<B: Backend>(
    x: &Tensor<B>,
    [w, u]: [&Tensor<B>; 2],
    bias: Option<&Tensor<B>>,
    [h, c]: [&Tensor<B>; 2],
    with_gates: bool,
) -> Result<Outputs<Tensor<B>>> {
    let bias = bias.map(full).transpose()?;
    let (like, x) = (x, full(x)?.linear(&full(w)?, bias.as_ref())?);
    let (u, mut h, mut c) = (full(u)?.t()?, full(h)?, full(c)?);
    let mut all = [vec![], vec![], vec![]];
    for x in x.unbind(0)? {
        let [i, f, g, o] = gates(&(x + Tensor::one(Op::MatMul(&h, &u))?)?)?;
        let (i, f, g, o) = (i.lazy().sigmoid(), f.lazy().sigmoid(), g.lazy().tanh(), o.lazy().sigmoid());
        let next = f.clone() * &c + i.clone() * &g;
        let y = o.clone() * next.tanh();
        if with_gates {
            let [y, next, i, f, g, o] = Expr::eval_all([y, next, i, f, g, o])?;
            all[2].push(Tensor::cat(&[&i, &f, &g, &o], 1)?);
            (h, c) = (y, next);
        } else {
            [h, c] = Expr::eval_all([y, next])?;
        }
        all[0].push(h.clone());
        all[1].push(c.clone());
    }
    let results = all.iter().filter(|steps| !steps.is_empty());
    results.map(|steps| stacked(steps)?.to(like.dtype())).collect()
}

/// From the last step to the first, with `dyₜ` and `dcₜ` as they come from outside and from the step after:
///
/// ```text
/// dcₜ += dyₜ o (1 - tanh² cₜ)
/// di = dcₜ g,   df = dcₜ cₜ₋₁,   dg = dcₜ i,   do = dyₜ tanh cₜ
/// dsₜ = (di i (1 - i), df f (1 - f), dg (1 - g²), do o (1 - o))
/// dyₜ₋₁ += dsₜ u,   dcₜ₋₁ += dcₜ f
/// ```
pub fn lstm_grad<B: Backend>(
    u: &Tensor<B>,
    [first, c, gates_]: [&Tensor<B>; 3],
    [dy, dc]: [&Tensor<B>; 2],
    dgates: Option<&Tensor<B>>,
) -> Result<Outputs<Tensor<B>>> {
    let (like, u) = (u, full(u)?);
    let (first, c, gates_, dy, dc) = (full(first)?, full(c)?, full(gates_)?, full(dy)?, full(dc)?);
    let dgates = dgates.map(full).transpose()?;
    let (mut down_h, mut down_c) = (first.zeros_like()?, first.zeros_like()?);
    let mut all = vec![];
    for t in (0..c.shape()[0] as i64).rev() {
        let before = if t == 0 { first.clone() } else { c.select(0, t - 1)? };
        let [i, f, g, o] = gates(&gates_.select(0, t)?)?.map(|gate| gate.lazy());
        let tanh = c.select(0, t)?.lazy().tanh();
        let dh = dy.select(0, t)?.lazy() + &down_h;
        let dc = dc.select(0, t)?.lazy() + &down_c + dh.clone() * &o * (1 - tanh.clone() * &tanh);
        let mut slopes = [dc.clone() * &g, dc.clone() * &before, dc.clone() * &i, dh * &tanh];
        if let Some(dgates) = &dgates {
            for (slope, more) in slopes.iter_mut().zip(gates(&dgates.select(0, t)?)?) {
                *slope = slope.clone() + &more;
            }
        }
        let [di, df, dg, d_o] = slopes;
        let parts = [
            di * &i * (1 - i.clone()),
            df * &f * (1 - f.clone()),
            dg * (1 - g.clone() * &g),
            d_o * &o * (1 - o.clone()),
            dc * &f,
        ];
        let [di, df, dg, d_o, next] = Expr::eval_all(parts)?;
        let ds = Tensor::cat(&[&di, &df, &dg, &d_o], 1)?;
        (down_h, down_c) = (Tensor::one(Op::MatMul(&ds, &u))?, next);
        all.push(ds);
    }
    all.reverse();
    rounded(like, [stacked(&all)?, down_h, down_c])
}

/// The four gates of a step, which lie side by side.
fn gates<B: Backend>(x: &Tensor<B>) -> Result<[Tensor<B>; 4]> {
    let size = x.shape()[1] / 4;
    let parts = (0..4).map(|i| x.narrow(1, i * size, size)).collect::<Result<Vec<_>>>()?;
    parts.try_into().map_err(|_| Error::internal("lstm", "has four gates"))
}

/// Steps one after another.
fn stacked<B: Backend>(steps: &[Tensor<B>]) -> Result<Tensor<B>> {
    Tensor::stack(&steps.iter().collect::<Vec<_>>(), 0)
}
