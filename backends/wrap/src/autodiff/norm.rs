//! Normalisations, from the statistics that they saved.
//!
//! With `x̂ = (x - m) r`, `r = 1/√(mean (x - m)² + eps)`, `y = x̂ w + b` and `ĝ = g w`:
//! ```text
//! dx = r (ĝ - mean ĝ - x̂ mean(ĝ x̂)),    dw = Σ g x̂,    db = Σ g
//! ```
//! Where the statistics have gradients `μ` and `ρ` themselves, `dx` has `μ/n - ρ r² x̂/n` besides. Without a
//! mean (`m = 0`, as in RMSNorm) what came through it is left out.
use super::{graph::Rule, rules::sum};
use firesteel_core::{Axes, Backend, Dims, Error, Result, Shape, Tensor, keepdim};

struct Norm<B: Backend> {
    x: Tensor<B>,
    weight: Option<Tensor<B>>,
    mean: Option<Tensor<B>>,
    r: Tensor<B>,
    /// What is normalised together.
    axes: Axes,
    /// The shape of weight and bias beside `x`: all axes, of size one where they do not vary.
    affine: Shape,
    /// Which of `x`, weight and bias want a gradient; as many as there are.
    wants: Vec<bool>,
}

pub(super) fn layer_norm<B: Backend>(
    x: Tensor<B>,
    weight: Option<Tensor<B>>,
    mean: Tensor<B>,
    r: Tensor<B>,
    dims: usize,
    wants: &[bool],
) -> Rule<B> {
    let (axes, affine) = trailing(&x, dims);
    Norm { x, weight, mean: Some(mean), r, axes, affine, wants: wants.to_vec() }.rule()
}

pub(super) fn rms_norm<B: Backend>(
    x: Tensor<B>,
    weight: Option<Tensor<B>>,
    r: Tensor<B>,
    dims: usize,
    wants: &[bool],
) -> Rule<B> {
    let (axes, affine) = trailing(&x, dims);
    Norm { x, weight, mean: None, r, axes, affine, wants: wants.to_vec() }.rule()
}

pub(super) fn batch_norm<B: Backend>(
    x: Tensor<B>,
    weight: Option<Tensor<B>>,
    mean: Tensor<B>,
    r: Tensor<B>,
    wants: &[bool],
) -> Rule<B> {
    let axes: Axes = (0..x.rank()).filter(|&a| a != 1).collect();
    let affine = x.meta().reduced(&axes);
    Norm { x, weight, mean: Some(mean), r, axes, affine, wants: wants.to_vec() }.rule()
}

/// The last `dims` axes, and the shape of what varies only along them.
fn trailing<B: Backend>(x: &Tensor<B>, dims: usize) -> (Axes, Shape) {
    let split = x.rank() - dims;
    ((split..x.rank()).collect(), x.meta().reduced(&(0..split).collect()))
}

impl<B: Backend> Norm<B> {
    fn rule(self) -> Rule<B> {
        Rule::Joint(Box::new(move |received| match received {
            [g, mean, r] => self.pull(g.as_ref(), mean.as_ref(), r.as_ref()),
            [g, r] => self.pull(g.as_ref(), None, r.as_ref()),
            _ => Err(Error::internal("norm", "has two or three results")),
        }))
    }

    /// From the gradients of `y`, the mean and `r`.
    fn pull(
        &self,
        g: Option<&Tensor<B>>,
        mu: Option<&Tensor<B>>,
        rho: Option<&Tensor<B>>,
    ) -> Result<Vec<Option<Tensor<B>>>> {
        let (x, r) = (self.x.lazy(), self.r.lazy());
        let standard = match &self.mean {
            Some(mean) => (x - mean) * r,
            None => x * r,
        }
        .eval()?;
        let operand = |i: usize| {
            Ok(match (i, g) {
                (0, _) => {
                    let through = g.map(|g| self.through(g, &standard)).transpose()?;
                    sum(through, self.aside(mu, rho, &standard)?)?
                }
                (1, Some(g)) => Some(self.gathered(&(g * &standard)?)?),
                (_, Some(g)) => Some(self.gathered(g)?),
                (_, None) => None,
            })
        };
        self.wants.iter().enumerate().map(|(i, &wanted)| if wanted { operand(i) } else { Ok(None) }).collect()
    }

    /// What comes to `x` from `y`.
    fn through(&self, g: &Tensor<B>, standard: &Tensor<B>) -> Result<Tensor<B>> {
        let g = match &self.weight {
            Some(weight) => (g * weight.reshape(&self.affine)?)?,
            None => g.clone(),
        };
        let along = (&g * standard)?.mean(self.kept())?;
        let rest = g.lazy() - standard.lazy() * &along;
        let rest = if self.mean.is_some() { rest - &g.mean(self.kept())? } else { rest };
        (rest * &self.r).eval()
    }

    /// What comes to `x` from the statistics.
    fn aside(
        &self,
        mu: Option<&Tensor<B>>,
        rho: Option<&Tensor<B>>,
        standard: &Tensor<B>,
    ) -> Result<Option<Tensor<B>>> {
        let n = self.axes.iter().map(|&a| self.x.shape()[a]).product::<usize>() as f64;
        let mu = mu.map(|mu| (mu / n)?.broadcast_to(self.x.shape())).transpose()?;
        let rho = rho.map(|rho| (standard.lazy() * (rho.lazy() * self.r.lazy().square() / -n)).eval());
        sum(mu, rho.transpose()?)
    }

    /// Summed to the shape of weight and bias.
    fn gathered(&self, g: &Tensor<B>) -> Result<Tensor<B>> {
        let shape: Shape = match self.weight.as_ref() {
            Some(weight) => weight.shape().clone(),
            None => self.affine.clone(),
        };
        g.sum_to_size(&self.affine)?.reshape(&shape)
    }

    fn kept(&self) -> Dims {
        keepdim(&self.axes[..])
    }
}
