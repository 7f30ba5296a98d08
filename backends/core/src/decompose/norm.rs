//! Normalisations: `y = (x - mean) / √(var + eps) · weight + bias`.
use super::{full, rounded};
use crate::{Axes, Backend, Error, NormAxes, Outputs, Result, Shape, Tensor, keepdim};

pub fn layer_norm<B: Backend>(
    x: &Tensor<B>,
    affine: &[Tensor<B>],
    dims: usize,
    eps: f64,
) -> Result<Outputs<Tensor<B>>> {
    let (y, mean, rstd) = standardised(&full(x)?, trailing(x, dims), eps)?;
    rounded(x, [scaled(y, affine, |a| full(a))?, mean, rstd])
}

pub fn rms_norm<B: Backend>(
    x: &Tensor<B>,
    affine: &[Tensor<B>],
    dims: usize,
    eps: f64,
) -> Result<Outputs<Tensor<B>>> {
    let (wide, axes) = (full(x)?, trailing(x, dims));
    let rrms = (wide.square()?.mean(keepdim(&axes[..]))? + eps)?.rsqrt()?;
    rounded(x, [scaled((wide * &rrms)?, affine, |a| full(a))?, rrms])
}

pub fn batch_norm<B: Backend>(x: &Tensor<B>, affine: &[Tensor<B>], eps: f64) -> Result<Outputs<Tensor<B>>> {
    let axes: Axes = (0..x.rank()).filter(|&a| a != 1).collect();
    let (y, mean, rstd) = standardised(&full(x)?, axes, eps)?;
    let channels: Shape = (0..x.rank()).map(|a| if a == 1 { x.shape()[1] } else { 1 }).collect();
    rounded(x, [scaled(y, affine, |a| full(a)?.reshape(&channels))?, mean, rstd])
}

pub fn group_norm<B: Backend>(
    x: &Tensor<B>,
    affine: &[Tensor<B>],
    groups: usize,
    eps: f64,
) -> Result<Outputs<Tensor<B>>> {
    let seen @ [_, groups, inside, _] = x.meta().grouped(groups);
    let (y, mean, rstd) = standardised(&full(x)?.reshape(seen)?, Axes::from_slice(&[2, 3]), eps)?;
    let y = scaled(y, affine, |a| full(a)?.reshape([1, groups, inside, 1]))?;
    rounded(x, [y.reshape(x.shape())?, mean, rstd])
}

/// With `x̂ = (x - mean) r`, `r = 1/σ`, and `ĝ = g w`:
/// ```text
/// dx = r (ĝ - mean ĝ - x̂ mean(ĝ x̂)),    dw = Σ g x̂,    db = Σ g
/// ```
/// Without a mean what came through it is left out.
pub fn norm_grad<B: Backend>(xs: &[Tensor<B>], norm: &NormAxes) -> Result<Outputs<Tensor<B>>> {
    let NormAxes { axes, centred, affine } = norm;
    let wide = xs.iter().map(full).collect::<Result<Vec<_>>>()?;
    let (x, mean, r, g, weight) = match (centred, &wide[..]) {
        (true, [x, mean, r, g, weight @ ..]) => (x, Some(mean), r, g, weight.first()),
        (false, [x, r, g, weight @ ..]) => (x, None, r, g, weight.first()),
        _ => return Err(Error::internal("norm_grad", "takes three to five operands")),
    };
    let standard = match mean {
        Some(mean) => (x.lazy() - mean) * r,
        None => x.lazy() * r,
    }
    .eval()?;
    let weighted = match weight {
        Some(weight) => (g * weight)?,
        None => g.clone(),
    };
    let mean = |x: &Tensor<B>| x.mean(keepdim(&axes[..]));
    let rest = weighted.lazy() - standard.lazy() * &mean(&(&weighted * &standard)?)?;
    let rest = if *centred { rest - &mean(&weighted)? } else { rest };
    let mut found = vec![(rest * r).eval()?];
    if let Some(along) = affine {
        let others = (0..x.rank()).filter(|a| !along.contains(a)).collect();
        let shape = x.meta().reduced(&others);
        found.extend([(g * &standard)?.sum_to_size(&shape)?, g.sum_to_size(&shape)?]);
    }
    found.into_iter().map(|y| y.to(xs[0].dtype())).collect()
}

/// The last `dims` axes.
fn trailing<B: Backend>(x: &Tensor<B>, dims: usize) -> Axes {
    (x.rank() - dims..x.rank()).collect()
}

/// `((x - mean) · rstd, mean, rstd)`, with `rstd = 1 / √(mean (x - mean)² + eps)`.
fn standardised<B: Backend>(
    x: &Tensor<B>,
    axes: Axes,
    eps: f64,
) -> Result<(Tensor<B>, Tensor<B>, Tensor<B>)> {
    let mean = x.mean(keepdim(&axes[..]))?;
    let centred = (x - &mean)?;
    let rstd = (centred.square()?.mean(keepdim(&axes[..]))? + eps)?.rsqrt()?;
    Ok(((centred * &rstd)?, mean, rstd))
}

/// Times the weight and plus the bias, where there are any.
fn scaled<B: Backend>(
    y: Tensor<B>,
    affine: &[Tensor<B>],
    shape: impl Fn(&Tensor<B>) -> Result<Tensor<B>>,
) -> Result<Tensor<B>> {
    match affine {
        [] => Ok(y),
        [weight] => y * shape(weight)?,
        [weight, bias, ..] => (y * shape(weight)?)? + shape(bias)?,
    }
}
