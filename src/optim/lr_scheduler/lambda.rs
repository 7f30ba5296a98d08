//! Rates by a function of one's own.
use super::{Rate, Schedule};
use crate::{Error, Result};
use std::{fmt, sync::Arc};

/// From the number of a step to a factor.
type Lambda = Arc<dyn Fn(usize) -> f64 + Send + Sync>;

/// One function for all groups of parameters, or one for each.
#[derive(Clone)]
struct Lambdas(Vec<Lambda>);

impl Lambdas {
    fn check(&self, name: &'static str, groups: usize) -> Result<()> {
        if self.0.len() == 1 || self.0.len() == groups {
            return Ok(());
        }
        let why = format!("{} functions for {groups} groups of parameters", self.0.len());
        Err(Error::value(name, why))
    }

    /// The factor of a step for a group.
    fn factor(&self, step: usize, group: usize) -> f64 {
        let one = if self.0.len() == 1 { self.0.first() } else { self.0.get(group) };
        one.map_or(f64::NAN, |lambda| lambda(step))
    }
}

impl fmt::Debug for Lambdas {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} functions", self.0.len())
    }
}

macro_rules! lambda_schedules {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[doc = concat!("<https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.", stringify!($name), ".html>")]
        #[derive(Clone, Debug)]
        pub struct $name(Lambdas);

        impl $name {
            /// By one function for all groups of parameters.
            pub fn new(lambda: impl Fn(usize) -> f64 + Send + Sync + 'static) -> Self {
                Self(Lambdas(vec![Arc::new(lambda)]))
            }

            /// By a function for each group of parameters, the main one first.
            pub fn per_group(lambdas: impl IntoIterator<Item = Box<dyn Fn(usize) -> f64 + Send + Sync>>) -> Self {
                Self(Lambdas(lambdas.into_iter().map(Arc::from).collect()))
            }
        }
    )*};
}

lambda_schedules! {
    /// The initial rate times a function of the step.
    ///
    /// ```
    /// use firesteel::{optim::{Rates, SGD, lr_scheduler::{LambdaLR, LrScheduler, Schedule}}, prelude::*};
    /// let mut optimizer = SGD::<Autodiff<Cpu>>::new(0.5);
    /// let mut scheduler = LambdaLR::new(|epoch| 0.5f64.powi(epoch as i32)).start(&mut optimizer)?;
    /// scheduler.step(&mut optimizer)?;
    /// assert_eq!(optimizer.lr(), 0.25);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    LambdaLR;
    /// In each step after the first, the rate before times a function of the step.
    MultiplicativeLR;
}

impl Schedule for LambdaLR {
    fn check(&self, groups: &[Rate]) -> Result<()> {
        self.0.check("LambdaLR", groups.len())
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        rate.lr = rate.initial_lr * self.0.factor(step, rate.group);
        Ok(())
    }
}

impl Schedule for MultiplicativeLR {
    fn check(&self, groups: &[Rate]) -> Result<()> {
        self.0.check("MultiplicativeLR", groups.len())
    }

    fn apply(&self, step: usize, rate: &mut Rate) -> Result<()> {
        if step > 0 {
            rate.lr *= self.0.factor(step, rate.group);
        }
        Ok(())
    }

    /// As in PyTorch, from the rate that the other schedule left.
    fn take_over(&self, rate: &mut Rate) -> Result<()> {
        rate.lr *= self.0.factor(0, rate.group);
        Ok(())
    }
}
