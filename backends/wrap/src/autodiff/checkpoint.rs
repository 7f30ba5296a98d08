//! Memory for time: what lies between is computed again on the way back.
use super::{
    Autodiff, Tracked,
    graph::{Edge, Node, Parents, Rule, horizon, sweep},
    is_grad_enabled,
    mode::enable_grad,
};
use firesteel_core::{Backend, Differentiable, Error, Result, Stream, Tensor};
use smallvec::smallvec;
use std::collections::{BTreeMap, HashSet};

/// `f(xs)` without keeping what lies between: the backward pass runs `f` again. Random numbers are the same
/// the second time, and gradients also reach what `f` captures, such as the parameters of its layers.
/// <https://docs.pytorch.org/docs/stable/checkpoint.html>
///
/// ```
/// use firesteel::{checkpoint, prelude::*};
/// let device = Autodiff::new(Cpu::default());
/// let x = Tensor::new([1.0, 2.0], &device)?.requires_grad()?;
/// let y = checkpoint(&[&x], |xs| xs[0].exp()?.exp())?;
/// let same = x.exp()?.exp()?;
/// let gradient = |y: &Tensor<_>| y.sum(..)?.backward()?.get(&x)?.to_vec::<f32>();
/// assert_eq!(gradient(&y)?, gradient(&same)?);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn checkpoint<B, D>(
    xs: &[&Tensor<D>],
    f: impl Fn(&[Tensor<D>]) -> Result<Tensor<D>> + Send + Sync + 'static,
) -> Result<Tensor<D>>
where
    B: Backend,
    D: Differentiable<Inner = B> + Backend<Value = Tracked<B>>,
{
    let Some(device) = xs.first().map(|x| x.backend().clone()) else {
        return Err(Error::value("checkpoint", "needs at least one tensor"));
    };
    let state = device.generator().state();
    let start = horizon();
    let block = Block { f, device, xs: xs.iter().map(|x| (x.lower(), x.value().edge.is_some())).collect() };
    let (inputs, y) = block.run()?;
    let Some(end) = y.value().edge.clone().filter(|_| is_grad_enabled()) else {
        return Ok(y);
    };

    // what comes from outside: the operands, and what else the block reached
    let mut parents: Parents<B> = xs.iter().map(|x| x.value().edge.clone()).collect();
    let captured = captured(&end, start);
    parents.extend(captured.into_iter().map(Some));
    let places: Vec<_> = parents.iter().skip(xs.len()).flatten().map(Edge::place).collect();
    let (device, value) = (block.device.clone(), y.value().value.clone());
    drop((end, inputs, y));

    let rule = Rule::Joint(Box::new(move |received| {
        let Some(Some(g)) = received.first() else { return Ok(vec![None; block.xs.len() + places.len()]) };
        let again = horizon();
        let (inputs, y) = replaying(&block.device, state, || enable_grad(|| block.run()))?;
        let Some(end) = &y.value().edge else {
            return Err(Error::gradient("checkpoint", "the function gave a constant when it ran again"));
        };
        let mut found = sweep(vec![(end, g.clone())], &HashSet::new(), again)?;
        let inside = inputs.iter().map(|x| x.value().edge.as_ref().map(Edge::place));
        let places = inside.chain(places.iter().copied().map(Some));
        Ok(places.map(|place| place.and_then(|place| found.remove(&place))).collect())
    }));
    let tracked = Autodiff::<B>::remember("checkpoint", parents, rule, smallvec![value])?;
    let value = tracked.into_iter().next().ok_or_else(|| Error::internal("checkpoint", "gave no result"))?;
    Ok(Tensor::from_value(device, value))
}

/// A function, and its operands from beneath with whether they want a gradient.
struct Block<B: Backend, D, F> {
    f: F,
    device: D,
    xs: Vec<(Tensor<B>, bool)>,
}

impl<B, D, F> Block<B, D, F>
where
    B: Backend,
    D: Differentiable<Inner = B> + Backend<Value = Tracked<B>>,
    F: Fn(&[Tensor<D>]) -> Result<Tensor<D>>,
{
    /// Runs the function on leaves of its own; gives them, and its result.
    fn run(&self) -> Result<(Vec<Tensor<D>>, Tensor<D>)> {
        let leaf = |(x, wanted): &(Tensor<B>, bool)| {
            let edge = wanted.then(|| Edge { node: Node::leaf(), output: 0 });
            Tensor::from_value(self.device.clone(), Tracked { value: x.value().clone(), edge })
        };
        let inputs: Vec<_> = self.xs.iter().map(leaf).collect();
        let y = (self.f)(&inputs)?;
        Ok((inputs, y))
    }
}

/// The edges by which a graph reaches nodes from before `start`.
fn captured<B: Backend>(end: &Edge<B>, start: u64) -> Vec<Edge<B>> {
    let (mut outside, mut seen, mut waiting) = (BTreeMap::new(), HashSet::new(), vec![end.clone()]);
    while let Some(edge) = waiting.pop() {
        if edge.node.id < start {
            outside.insert(edge.place(), edge);
        } else if seen.insert(edge.node.id) {
            waiting.extend(edge.node.parents.iter().flatten().cloned());
        }
    }
    outside.into_values().collect()
}

/// Runs `f` with the device's random numbers from where they stood, and puts them back after.
fn replaying<D: Backend, R>(device: &D, state: Stream, f: impl FnOnce() -> R) -> R {
    struct Restore<'a, D: Backend>(&'a D, Stream);
    impl<D: Backend> Drop for Restore<'_, D> {
        fn drop(&mut self) {
            self.0.generator().set_state(self.1);
        }
    }
    let _restore = Restore(device, device.generator().state());
    device.generator().set_state(state);
    f()
}
