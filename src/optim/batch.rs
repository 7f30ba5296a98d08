//! Parameters that change together.
use super::ParamState;
use crate::{Change, Differentiable, Expr, Result, Tensor};

/// Parameters that change by the same options and in the same step, on one device: what a [`Rule`](super::Rule) changes at
/// once.
#[derive(Debug)]
pub struct Batch<'a, D: Differentiable>(Vec<Member<'a, D>>);

/// A parameter, its gradient, and what is remembered of it.
#[derive(Debug)]
pub(super) struct Member<'a, D: Differentiable> {
    pub parameter: &'a mut Tensor<D>,
    pub gradient: Tensor<D>,
    pub state: &'a mut ParamState<D>,
}

impl<'a, D: Differentiable> Batch<'a, D> {
    pub(super) fn new(first: Member<'a, D>) -> Self {
        Self(vec![first])
    }

    /// Takes a parameter in, where it changes as those that are here.
    pub(super) fn take(&mut self, member: Member<'a, D>) -> Option<Member<'a, D>> {
        let first = &self.0[0];
        let fits = first.parameter.device() == member.parameter.device() && first.state.is_like(member.state);
        if !fits {
            return Some(member);
        }
        self.0.push(member);
        None
    }

    /// Which step this is: 1 in the first.
    pub fn step(&self) -> i64 {
        self.0[0].state.step()
    }

    /// The number with this name, as it was left by the step before; `initial` in the first.
    pub fn number(&self, key: &'static str, initial: f64) -> f64 {
        self.0[0].state.number(key).unwrap_or(initial)
    }

    /// Remembers a number.
    pub fn set_number(&mut self, key: &'static str, number: f64) {
        self.0.iter_mut().for_each(|member| member.state.set_number(key, number));
    }

    /// Whether tensors with this name are remembered yet.
    pub fn remembers(&self, key: &str) -> bool {
        self.0[0].state.get(key).is_some()
    }

    /// Changes all parameters by one formula, in one pass: `f` of a parameter, its gradient and what is remembered under
    /// these names (zeros in the first step) gives what becomes of the parameter and of what is remembered.
    #[track_caller]
    pub fn update<const N: usize>(
        &mut self,
        keys: [&'static str; N],
        f: impl Fn(Expr<D>, Expr<D>, [Expr<D>; N]) -> (Expr<D>, [Expr<D>; N]),
    ) -> Result<()> {
        self.update_from(keys.map(|key| (key, 0.)), f)
    }

    /// [`update`](Self::update), with other numbers than zero in the first step.
    #[track_caller]
    pub fn update_from<const N: usize>(
        &mut self,
        keys: [(&'static str, f64); N],
        f: impl Fn(Expr<D>, Expr<D>, [Expr<D>; N]) -> (Expr<D>, [Expr<D>; N]),
    ) -> Result<()> {
        let changes = self.0.iter_mut().map(|Member { parameter, gradient, state }| {
            let tensors = state.tensors_of(keys, parameter)?;
            Ok(Change::new([&mut **parameter].into_iter().chain(tensors), [&*gradient]))
        });
        Expr::update_each(changes.collect::<Result<Vec<_>>>()?, |all| {
            let tensors = std::array::from_fn(|i| all[1 + i].clone());
            let (parameter, tensors) = f(all[0].clone(), all[1 + N].clone(), tensors);
            [parameter].into_iter().chain(tensors).collect()
        })
    }

    /// Changes one parameter after another, by its gradient and what is remembered of it.
    pub fn each(
        &mut self,
        mut f: impl FnMut(&mut Tensor<D>, &Tensor<D>, &mut ParamState<D>) -> Result<()>,
    ) -> Result<()> {
        let mut members = self.0.iter_mut();
        members.try_for_each(|Member { parameter, gradient, state }| f(parameter, gradient, state))
    }
}
