//! Reverse mode: run it beneath, and remember how to go back.
mod attention;
mod chain;
mod checkpoint;
mod conv;
mod custom;
mod derivative;
mod elementwise;
mod fft;
mod function;
mod gradcheck;
mod graph;
mod index;
mod join;
mod loss;
mod matmul;
mod mode;
mod norm;
mod pool;
mod recurrent;
mod reduce;
mod rules;
mod scan;
mod softmax;
mod sort;
mod view;
mod written;

pub use checkpoint::checkpoint;
pub use derivative::{grad, hessian, hvp, jacobian};
pub use function::{register_hook, with_gradient};
pub use gradcheck::{GradCheck, gradcheck, gradgradcheck};
pub use mode::{enable_grad, is_grad_enabled, no_grad};

use firesteel_core::{
    Backend, Device, Differentiable, Error, Fused, Generator, Gradients, MemoryStats, Meta, Metas, Op,
    Outputs, Place, Pullback, Result, Tensor, TensorData, Update, ValueOf, decompose,
};
use graph::{Edge, Node, Parents, Rule, sweep};
use smallvec::SmallVec;
use std::{collections::HashSet, future::Future};
use written::Derivative;

/// Differentiates whatever runs on `B`. It has no state of its own: values own their history, which is
/// freed when nothing holds them any more.
///
/// `Autodiff<Autodiff<B>>` differentiates twice.
/// <https://docs.pytorch.org/docs/stable/notes/autograd.html>
///
/// ```
/// use firesteel::prelude::*;
/// let device = Autodiff::new(Cpu::default());
/// let x = Tensor::new(2.0, &device)?.requires_grad()?;
/// let y = (((&x * &x)? + (3.0 * &x)?)? + 1.0)?;
/// assert_eq!(y.backward()?.get(&x)?.item::<f32>()?, 7.0);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Autodiff<B>(B);

/// A value from beneath, and where it came from.
#[derive(Clone, Debug)]
pub struct Tracked<B: Backend> {
    value: B::Value,
    /// Nothing for a constant.
    edge: Option<Edge<B>>,
}

impl<B: Backend> Autodiff<B> {
    /// Differentiates what runs on `inner`.
    pub const fn new(inner: B) -> Self {
        Self(inner)
    }

    fn constants(values: Outputs<B::Value>) -> Outputs<Tracked<B>> {
        values.into_iter().map(Self::lift).collect()
    }

    fn tensor(&self, v: &B::Value) -> Tensor<B> {
        Tensor::from_value(self.0.clone(), v.clone())
    }

    /// Gives each real result of an operation its way back. Integers have none.
    fn remember(
        name: &'static str,
        parents: Parents<B>,
        mut rule: Rule<B>,
        values: Outputs<B::Value>,
    ) -> Result<Outputs<Tracked<B>>> {
        if let Rule::Nothing = rule {
            return Ok(Self::constants(values));
        }
        rule.restrict(name, &parents)?;
        let node = Node::new(name, parents, rule, values.len());
        let track = |(output, value)| {
            let real = B::meta(&value).dtype.is_float();
            Tracked { value, edge: real.then(|| Edge { node: node.clone(), output }) }
        };
        Ok(values.into_iter().enumerate().map(track).collect())
    }
}

/// Where the way back of an operation comes from.
enum Way {
    /// The table.
    Rule,
    /// A program, derived or declared.
    Written(Derivative),
    /// Those of its parts.
    Parts,
}

/// Chains and a user's operations have gradients that are written down as programs; a layer and its formula have those of
/// their parts, and what is a gradient itself is seldom differentiated, and then by its parts.
fn written<B: Backend>(op: &Op<&Tracked<B>>, out: &Metas, wants: &[bool]) -> Result<Way> {
    let metas = |xs: &[&Tracked<B>]| xs.iter().map(|x| B::meta(&x.value).clone()).collect::<Vec<_>>();
    if let Op::Fused(Fused::Chain(program), xs) = op {
        return chain::derivative(program, &metas(xs), out, wants).map(Way::Written);
    }
    if let Op::Custom(custom, xs) = op {
        let declared = custom::derivative(&**custom, &metas(xs), out, wants)?;
        return Ok(declared.map_or(Way::Parts, Way::Written));
    }
    if let Op::Fused(Fused::LinearThen(_) | Fused::LstmGrad | Fused::GruGrad | Fused::NormGrad(_), _) = op {
        return Ok(Way::Parts);
    }
    Ok(Way::Rule)
}

impl<B: Backend> Backend for Autodiff<B> {
    type Value = Tracked<B>;

    fn device(&self) -> Device {
        self.0.device()
    }
    fn meta(v: &Tracked<B>) -> &Meta {
        B::meta(&v.value)
    }
    fn upload(&self, data: TensorData) -> Result<Tracked<B>> {
        self.0.upload(data).map(Self::lift)
    }
    fn download(&self, v: &Tracked<B>) -> impl Future<Output = Result<TensorData>> + Send {
        self.0.download(&v.value)
    }
    fn memory(&self) -> MemoryStats {
        self.0.memory()
    }
    fn empty_cache(&self) {
        self.0.empty_cache();
    }
    fn synchronize(&self) -> Result<()> {
        self.0.synchronize()
    }
    fn generator(&self) -> &Generator {
        self.0.generator()
    }

    /// A new leaf. A constant beneath becomes a leaf there too, so that a gradient of a gradient finds it.
    fn parameter(&self, v: Tracked<B>) -> Tracked<B> {
        if !Self::meta(&v).dtype.is_float() {
            return Self::lift(v.value);
        }
        let beneath = if B::requires_grad(&v.value) { v.value } else { self.0.parameter(v.value) };
        Tracked { value: beneath, edge: Some(Edge { node: Node::leaf(), output: 0 }) }
    }
    fn detach(&self, v: Tracked<B>) -> Tracked<B> {
        Self::lift(self.0.detach(v.value))
    }
    fn requires_grad(v: &Tracked<B>) -> bool {
        v.edge.is_some()
    }

    /// Always: what has no rule here is taken apart in `eval`, and only where a gradient is wanted.
    fn fuses(&self, _: &Op<&Meta>) -> bool {
        true
    }

    fn eval(&self, op: Op<&Tracked<B>>, out: &Metas) -> Result<Outputs<Tracked<B>>> {
        let mut parents = Parents::new();
        let plain = op.clone().map(|t| {
            parents.push(t.edge.clone());
            &t.value
        });
        let real = out.iter().any(|meta| meta.dtype.is_float());
        if !real || !is_grad_enabled() || parents.iter().all(Option::is_none) {
            return Ok(Self::constants(self.0.dispatch(plain, out)?));
        }
        let wants: SmallVec<[bool; 4]> = parents.iter().map(Option::is_some).collect();
        let derivative = match written(&op, out, &wants)? {
            Way::Rule => None,
            Way::Written(derivative) => Some(derivative),
            Way::Parts => return decompose(self, op),
        };
        let name = op.name();
        let values = self.0.dispatch(plain, out)?;
        let results: Outputs<_> = values.iter().map(|y| self.tensor(y)).collect();
        let operands = op.map(|t| self.tensor(&t.value));
        let rule = match (derivative, operands) {
            (Some(derivative), Op::Fused(_, xs) | Op::Custom(_, xs)) => derivative.rule(xs, results),
            (_, operands) => rules::rule(operands, results, &wants)?,
        };
        Self::remember(name, parents, rule, values)
    }

    /// In place where nothing has a history that is being written. A leaf stays the leaf that it is, so its
    /// change cannot be a part of the history: optimizers change it under [`no_grad`].
    fn update(&self, updates: Vec<Update<'_, Tracked<B>>>) -> Result<()> {
        if !is_grad_enabled() || !updates.iter().any(is_tracked) {
            let beneath = updates
                .into_iter()
                .map(|update| update.try_map(|target| Ok(&mut target.value), |value| Ok(&value.value)));
            return self.0.update(beneath.collect::<Result<_>>()?);
        }
        for mut update in updates {
            if update.targets.iter().any(|t| t.edge.as_ref().is_some_and(|e| e.node.is_leaf())) {
                let why = "a leaf that is learned cannot change in place while operations are recorded: \
                           change it inside of `no_grad`, or change a copy";
                return Err(Error::gradient(update.op.name(), why));
            }
            let results = self.run(update.plain())?;
            update.set(results);
        }
        Ok(())
    }
}

/// Whether anything in it has a history.
fn is_tracked<B: Backend>(update: &Update<'_, Tracked<B>>) -> bool {
    let mut tracked = update.targets.iter().any(|t| t.edge.is_some());
    update.plain().each(|x| tracked |= x.edge.is_some());
    tracked
}

impl<B: Backend> Differentiable for Autodiff<B> {
    type Inner = B;

    fn beneath(&self) -> &B {
        &self.0
    }
    fn lift(value: B::Value) -> Tracked<B> {
        Tracked { value, edge: None }
    }
    fn lower(v: &Tracked<B>) -> &B::Value {
        &v.value
    }
    fn place(v: &Tracked<B>) -> Option<Place> {
        v.edge.as_ref().map(Edge::place)
    }

    fn backward(&self, roots: &[(&Tracked<B>, ValueOf<B>)], wanted: &[&Tracked<B>]) -> Result<Gradients<B>> {
        let start = |(y, cotangent): &'_ (&'_ Tracked<B>, ValueOf<B>)| match &y.edge {
            Some(edge) => Ok((edge.clone(), self.tensor(cotangent))),
            None => {
                let why = "the result does not depend on anything that requires a gradient";
                Err(Error::gradient("backward", why))
            }
        };
        let roots = roots.iter().map(start).collect::<Result<Vec<_>>>()?;
        let roots = roots.iter().map(|(edge, grad)| (edge, grad.clone())).collect();
        let wanted = wanted.iter().filter_map(|x| Self::place(x)).collect::<HashSet<_>>();
        sweep(roots, &wanted, 0).map(Gradients::new)
    }

    fn record(
        &self,
        name: &'static str,
        parents: &[&Tracked<B>],
        values: Outputs<ValueOf<B>>,
        pullback: Pullback<B>,
    ) -> Result<Outputs<Tracked<B>>> {
        if !is_grad_enabled() || parents.iter().all(|x| x.edge.is_none()) {
            return Ok(Self::constants(values));
        }
        let metas: Vec<Meta> = parents.iter().map(|x| Self::meta(x).clone()).collect();
        let checked: Pullback<B> = Box::new(move |received| {
            let grads = pullback(received)?;
            for (meta, grad) in metas.iter().zip(&grads) {
                if let Some(grad) = grad.as_ref().filter(|grad| grad.meta() != meta) {
                    let why = format!("its way back gives {} for an operand {meta}", grad.meta());
                    return Err(Error::gradient(name, why));
                }
            }
            Ok(grads)
        });
        let parents = parents.iter().map(|x| x.edge.clone()).collect();
        Self::remember(name, parents, Rule::Joint(checked), values)
    }
}
