//! Formulas that replace what they are made of.
use super::{Expr, Node, plan::Plan};
use crate::{Backend, Error, Meta, Operand, Result, Tensor, Update};
use smallvec::SmallVec;
use std::collections::HashMap;

impl<B: Backend> Expr<B> {
    /// Replaces each target by a formula of what they were, all in one pass, in the targets' own memory
    /// where nobody else holds it. Shapes and dtypes stay.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let mut x = Tensor::new([1.0, 2.0], &Cpu::default())?;
    /// Expr::update([&mut x], |[x]| [x * 2.0])?;
    /// assert_eq!(x.to_vec::<f32>()?, [2., 4.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn update<const N: usize>(
        targets: [&mut Tensor<B>; N],
        f: impl FnOnce([Expr<B>; N]) -> [Expr<B>; N],
    ) -> Result<()> {
        let formulas = f(std::array::from_fn(|i| Expr(Node::Named(i))));
        let change = Change::new(targets, []);
        let plan = Plan::of_change(&formulas, &change)?;
        Tensor::update_all(vec![plan.update(change)])
    }

    /// [`update`](Self::update) of many sets of tensors by the same formulas, all on one device, which may run them at once.
    /// `f` gets a set's targets, and then what stands beside them, and gives as many formulas as there are targets.
    ///
    /// ```
    /// use firesteel::{Change, prelude::*};
    /// let (mut x, mut y) = (Tensor::new([1.0, 2.0], &Cpu)?, Tensor::new([[3.0]], &Cpu)?);
    /// let (dx, dy) = (Tensor::new([0.5, 0.5], &Cpu)?, Tensor::new([[1.0]], &Cpu)?);
    /// let changes = [(&mut x, &dx), (&mut y, &dy)].map(|(x, dx)| Change::new([x], [dx]));
    /// Expr::update_each(changes, |all| vec![all[0].clone() - all[1].clone() * 2.0])?;
    /// assert_eq!((x.to_vec::<f32>()?, y.to_vec::<f32>()?), (vec![0., 1.], vec![1.]));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn update_each<'a>(
        changes: impl IntoIterator<Item = Change<'a, B>>,
        f: impl Fn(&[Expr<B>]) -> Vec<Expr<B>>,
    ) -> Result<()> {
        // what looks alike changes by one program
        let mut plans = HashMap::<SmallVec<[Meta; 4]>, Plan<B>>::new();
        let changes: Vec<_> = changes.into_iter().map(|change| (change.metas(), change)).collect();
        for (metas, change) in &changes {
            if !plans.contains_key(metas) {
                let named: Vec<Expr<B>> = (0..metas.len()).map(|i| Expr(Node::Named(i))).collect();
                plans.insert(metas.clone(), Plan::of_change(&f(&named), change)?);
            }
        }
        Tensor::update_all(changes.into_iter().map(|(metas, change)| plans[&metas].update(change)).collect())
    }
}

/// Tensors that formulas replace, and what those read beside them.
#[derive(Debug)]
pub struct Change<'a, B: Backend> {
    targets: SmallVec<[&'a mut Tensor<B>; 4]>,
    beside: SmallVec<[&'a Tensor<B>; 1]>,
}

impl<'a, B: Backend> Change<'a, B> {
    /// What is replaced, and what formulas read beside it: of one shape.
    pub fn new(
        targets: impl IntoIterator<Item = &'a mut Tensor<B>>,
        beside: impl IntoIterator<Item = &'a Tensor<B>>,
    ) -> Self {
        Self { targets: targets.into_iter().collect(), beside: beside.into_iter().collect() }
    }

    fn metas(&self) -> SmallVec<[Meta; 4]> {
        let targets = self.targets.iter().map(|target| target.meta());
        targets.chain(self.beside.iter().map(|x| x.meta())).cloned().collect()
    }
}

impl<B: Backend> Plan<B> {
    /// Of formulas that replace targets.
    #[track_caller]
    fn of_change(formulas: &[Expr<B>], change: &Change<B>) -> Result<Self> {
        let (metas, count) = (change.metas(), change.targets.len());
        let plan = Plan::new(formulas, &metas)?;
        if let Some(meta) = metas[..count].iter().find(|m| m.shape != plan.shape || m.dtype != plan.dtype) {
            let why = format!("a formula in {} {} cannot replace {meta}", plan.dtype, plan.shape);
            return Err(Error::shape("update", why));
        }
        if let Some(meta) = metas.iter().find(|m| m.shape != plan.shape) {
            let why = format!("{meta} stands beside tensors of {}, which is another shape", plan.shape);
            return Err(Error::shape("update", why));
        }
        if formulas.len() != count {
            let why = format!("{count} tensors cannot be replaced by {} formulas", formulas.len());
            return Err(Error::value("update", why));
        }
        Ok(plan)
    }

    /// The update that it makes of a change of tensors like those that it was made for.
    fn update<'a, 'c: 'a>(&'a self, change: Change<'c, B>) -> Update<'a, Tensor<B>> {
        let (targets, named) = (change.targets.len(), change.targets.len() + change.beside.len());
        let operand = |i: usize| match i {
            _ if i < targets => Operand::Target(i),
            _ if i < named => Operand::Value(change.beside[i - targets]),
            _ => Operand::Value(&self.leaves[i - named]),
        };
        let op = self.op.clone().map(operand);
        // targets are lent for no longer than the plan
        Update { targets: change.targets.into_iter().map(|target| target as _).collect(), op }
    }
}
