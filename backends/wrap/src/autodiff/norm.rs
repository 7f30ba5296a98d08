//! Normalisations, from the statistics that they saved.
//!
//! What comes from `y` is [`Fused::NormGrad`]. Where the statistics have gradients `μ` and `ρ` themselves, `dx` has
//! `μ/n - ρ r² x̂/n` besides, with `x̂ = (x - mean) r`, `r = 1/σ` and `n` numbers normalised together.
use super::{graph::Rule, rules::sum};
use firesteel_core::{Axes, Backend, Error, Fused, NormAxes, Op, Operands, Outputs, Result, Shape, Tensor};
use smallvec::smallvec;

struct Norm<B: Backend> {
    x: Tensor<B>,
    weight: Option<Tensor<B>>,
    mean: Option<Tensor<B>>,
    r: Tensor<B>,
    /// The shape of `x` that has these axes.
    seen: Shape,
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
    let (seen, axes, affine) = trailing(&x, dims);
    Norm { x, weight, mean: Some(mean), r, seen, axes, affine, wants: wants.to_vec() }.rule()
}

pub(super) fn rms_norm<B: Backend>(
    x: Tensor<B>,
    weight: Option<Tensor<B>>,
    r: Tensor<B>,
    dims: usize,
    wants: &[bool],
) -> Rule<B> {
    let (seen, axes, affine) = trailing(&x, dims);
    Norm { x, weight, mean: None, r, seen, axes, affine, wants: wants.to_vec() }.rule()
}

pub(super) fn batch_norm<B: Backend>(
    x: Tensor<B>,
    weight: Option<Tensor<B>>,
    mean: Tensor<B>,
    r: Tensor<B>,
    wants: &[bool],
) -> Rule<B> {
    let axes: Axes = (0..x.rank()).filter(|&a| a != 1).collect();
    let (seen, affine) = (x.shape().clone(), x.meta().reduced(&axes));
    Norm { x, weight, mean: Some(mean), r, seen, axes, affine, wants: wants.to_vec() }.rule()
}

pub(super) fn group_norm<B: Backend>(
    x: Tensor<B>,
    weight: Option<Tensor<B>>,
    mean: Tensor<B>,
    r: Tensor<B>,
    wants: &[bool],
) -> Rule<B> {
    let seen @ [_, groups, inside, _] = x.meta().grouped(r.shape()[1]);
    let (seen, axes, affine) = (seen.into(), smallvec![2, 3], [1, groups, inside, 1].into());
    Norm { x, weight, mean: Some(mean), r, seen, axes, affine, wants: wants.to_vec() }.rule()
}

/// The shape, the last `dims` axes, and the shape of what varies only along them.
fn trailing<B: Backend>(x: &Tensor<B>, dims: usize) -> (Shape, Axes, Shape) {
    let split = x.rank() - dims;
    (x.shape().clone(), (split..x.rank()).collect(), x.meta().reduced(&(0..split).collect()))
}

/// `x` in a shape that is mostly its own.
fn shaped<B: Backend>(x: &Tensor<B>, shape: &Shape) -> Result<Tensor<B>> {
    if x.shape() == shape { Ok(x.clone()) } else { x.reshape(shape) }
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
        let x = &shaped(&self.x, &self.seen)?;
        let mut through =
            g.map(|g| self.through(x, &shaped(g, &self.seen)?)).transpose()?.into_iter().flatten();
        let dx = sum(through.next(), self.aside(x, mu, rho)?)?;
        let dx = dx.map(|dx| shaped(&dx, self.x.shape())).transpose()?;
        // weight and bias have no gradient where `y` has none
        let affine = through.map(|g| g.reshape(self.weight.as_ref().map_or(&self.affine, Tensor::shape)));
        let found = std::iter::once(Ok(dx))
            .chain(affine.map(|g| g.map(Some)))
            .chain(std::iter::repeat_with(|| Ok(None)));
        self.wants.iter().zip(found).map(|(&wanted, g)| Ok(g?.filter(|_| wanted))).collect()
    }

    /// What comes from `y` to `x`, and to weight and bias where one of them wants it.
    fn through(&self, x: &Tensor<B>, g: &Tensor<B>) -> Result<Outputs<Tensor<B>>> {
        let weight = self.weight.as_ref().map(|weight| weight.reshape(&self.affine)).transpose()?;
        let mut operands: Operands<&Tensor<B>> = smallvec![x];
        operands.extend(&self.mean);
        operands.extend([&self.r, g]);
        operands.extend(&weight);
        let varies = || (0..self.affine.rank()).filter(|&axis| self.affine[axis] != 1).collect();
        let affine = self.wants[1..].contains(&true).then(varies);
        let norm = NormAxes { axes: self.axes.clone(), centred: self.mean.is_some(), affine };
        Tensor::apply(Op::Fused(Fused::NormGrad(norm.into()), operands))
    }

    /// What comes to `x` from the statistics.
    fn aside(
        &self,
        x: &Tensor<B>,
        mu: Option<&Tensor<B>>,
        rho: Option<&Tensor<B>>,
    ) -> Result<Option<Tensor<B>>> {
        let n = self.axes.iter().map(|&a| x.shape()[a]).product::<usize>() as f64;
        let mu = mu.map(|mu| (mu / n)?.broadcast_to(x.shape())).transpose()?;
        let rho = rho.map(|rho| {
            let (x, r) = (x.lazy(), self.r.lazy());
            let standard = match &self.mean {
                Some(mean) => (x - mean) * r.clone(),
                None => x * r.clone(),
            };
            (standard * (rho.lazy() * r.square() / -n)).eval()
        });
        sum(mu, rho.transpose()?)
    }
}
