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
        let [i, f, g, o] = parts(&(x + Tensor::one(Op::MatMul(&h, &u))?)?, 1)?;
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
    results(like, &all)
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
    [first, c, gates]: [&Tensor<B>; 3],
    [dy, dc]: [&Tensor<B>; 2],
    dgates: Option<&Tensor<B>>,
) -> Result<Outputs<Tensor<B>>> {
    let (like, u) = (u, full(u)?);
    let (first, c, gates, dy, dc) = (full(first)?, full(c)?, full(gates)?, full(dy)?, full(dc)?);
    let dgates = dgates.map(full).transpose()?;
    let (mut down_h, mut down_c) = (first.zeros_like()?, first.zeros_like()?);
    let mut all = vec![];
    for t in (0..c.shape()[0] as i64).rev() {
        let before = if t == 0 { first.clone() } else { c.select(0, t - 1)? };
        let [i, f, g, o] = parts(&gates.select(0, t)?, 1)?.map(|gate| gate.lazy());
        let tanh = c.select(0, t)?.lazy().tanh();
        let dh = dy.select(0, t)?.lazy() + &down_h;
        let dc = dc.select(0, t)?.lazy() + &down_c + dh.clone() * &o * (1 - tanh.clone() * &tanh);
        let mut slopes = [dc.clone() * &g, dc.clone() * &before, dc.clone() * &i, dh * &tanh];
        if let Some(dgates) = &dgates {
            for (slope, more) in slopes.iter_mut().zip(parts::<4, _>(&dgates.select(0, t)?, 1)?) {
                *slope = slope.clone() + &more;
            }
        }
        let [di, df, dg, d_o] = slopes;
        let slopes = [
            di * &i * (1 - i.clone()),
            df * &f * (1 - f.clone()),
            dg * (1 - g.clone() * &g),
            d_o * &o * (1 - o.clone()),
            dc * &f,
        ];
        let [di, df, dg, d_o, next] = Expr::eval_all(slopes)?;
        let ds = Tensor::cat(&[&di, &df, &dg, &d_o], 1)?;
        (down_h, down_c) = (Tensor::one(Op::MatMul(&ds, &u))?, next);
        all.push(ds);
    }
    all.reverse();
    rounded(like, [stacked(&all)?, down_h, down_c])
}

/// Step by step, of `xₜ wᵀ + b` and `m = yₜ₋₁ uᵀ + d`: `r` and `z`, `σ` of the sums of their thirds,
/// `g = tanh(xₜ wᵀ + b + r m)` of the last, and `yₜ = g + z (yₜ₋₁ - g)`.
pub fn gru<B: Backend>(
    x: &Tensor<B>,
    [w, u]: [&Tensor<B>; 2],
    biases: &[Tensor<B>],
    h: &Tensor<B>,
    with_gates: bool,
) -> Result<Outputs<Tensor<B>>> {
    let biases = biases.iter().map(full).collect::<Result<Vec<_>>>()?;
    let (like, x) = (x, full(x)?.linear(&full(w)?, biases.first())?);
    let (u, mut h) = (full(u)?, full(h)?);
    let mut all = [vec![], vec![]];
    for x in x.unbind(0)? {
        let [x_r, x_z, x_g] = parts(&x, 1)?;
        let [h_r, h_z, m] = parts(&h.linear(&u, biases.get(1))?, 1)?;
        let (r, z) = ((x_r.lazy() + &h_r).sigmoid(), (x_z.lazy() + &h_z).sigmoid());
        let g = (x_g.lazy() + r.clone() * &m).tanh();
        let y = g.clone() + z.clone() * (h.lazy() - g.clone());
        if with_gates {
            let [y, r, z, g] = Expr::eval_all([y, r, z, g])?;
            all[1].push(Tensor::cat(&[&m, &r, &z, &g], 1)?);
            h = y;
        } else {
            h = y.eval()?;
        }
        all[0].push(h.clone());
    }
    results(like, &all)
}

/// From the last step to the first, with `dyₜ` as it comes from outside and from the step after:
///
/// ```text
/// dg = dyₜ (1 - z),   dz = dyₜ (yₜ₋₁ - g)
/// ds_g = dg (1 - g²),   dm = ds_g r,   dr = ds_g m
/// dsₜ = (dm, dr r (1 - r), dz z (1 - z), ds_g)
/// dyₜ₋₁ += dyₜ z + (ds_r, ds_z, dm) u
/// ```
pub fn gru_grad<B: Backend>(
    u: &Tensor<B>,
    [first, y, gates]: [&Tensor<B>; 3],
    dy: &Tensor<B>,
    dgates: Option<&Tensor<B>>,
) -> Result<Outputs<Tensor<B>>> {
    let (like, first, y, gates, dy) = (u, full(first)?, full(y)?, full(gates)?, full(dy)?);
    let dgates = dgates.map(full).transpose()?;
    // the weight's thirds in the order of the gates
    let [u_r, u_z, u_m] = parts(&full(u)?, 0)?;
    let (u, size) = (Tensor::cat(&[&u_m, &u_r, &u_z], 0)?, u.shape()[0]);
    let mut down = first.zeros_like()?;
    let mut all = vec![];
    for t in (0..y.shape()[0] as i64).rev() {
        let before = if t == 0 { first.clone() } else { y.select(0, t - 1)? };
        let [m, r, z, g] = parts(&gates.select(0, t)?, 1)?.map(|gate| gate.lazy());
        let dh = dy.select(0, t)?.lazy() + &down;
        let (mut dg, mut dz) = (dh.clone() * (1 - z.clone()), dh.clone() * (before.lazy() - g.clone()));
        let more = dgates.as_ref().map(|dgates| parts(&dgates.select(0, t)?, 1)).transpose()?;
        if let Some([_, _, more_z, more_g]) = &more {
            (dg, dz) = (dg + more_g, dz + more_z);
        }
        let ds_g = dg * (1 - g.clone() * &g);
        let (mut dm, mut dr) = (ds_g.clone() * &r, ds_g.clone() * &m);
        if let Some([more_m, more_r, ..]) = &more {
            (dm, dr) = (dm + more_m, dr + more_r);
        }
        let slopes = [dm, dr * &r * (1 - r.clone()), dz * &z * (1 - z.clone()), ds_g, dh * &z];
        let [dm, dr, dz, ds_g, next] = Expr::eval_all(slopes)?;
        let ds = Tensor::cat(&[&dm, &dr, &dz, &ds_g], 1)?;
        down = (next + Tensor::one(Op::MatMul(&ds.narrow(1, 0, size)?, &u))?)?;
        all.push(ds);
    }
    all.reverse();
    rounded(like, [stacked(&all)?, down])
}

/// Equal parts along a dim, as the gates of a step are.
fn parts<const N: usize, B: Backend>(x: &Tensor<B>, dim: isize) -> Result<[Tensor<B>; N]> {
    let size = x.size(dim)? / N;
    let parts = (0..N).map(|i| x.narrow(dim, i * size, size)).collect::<Result<Vec<_>>>()?;
    parts.try_into().map_err(|_| Error::internal("recurrent", "a step has other gates"))
}

/// The steps of each result that there is, in the dtype of the operand.
fn results<B: Backend>(like: &Tensor<B>, all: &[Vec<Tensor<B>>]) -> Result<Outputs<Tensor<B>>> {
    let results = all.iter().filter(|steps| !steps.is_empty());
    results.map(|steps| stacked(steps)?.to(like.dtype())).collect()
}

/// Steps one after another.
fn stacked<B: Backend>(steps: &[Tensor<B>]) -> Result<Tensor<B>> {
    Tensor::stack(&steps.iter().collect::<Vec<_>>(), 0)
}
