//! L-BFGS.
use super::{
    GroupRates, Optimizer, Rates,
    line_search::{Point, strong_wolfe},
    options::check,
    parameters,
    state::{Saved, real_number, whole_number},
};
use crate::{
    Data, Differentiable, Error, Expr, Gradients, Result, Shape, Tensor, TensorData,
    nn::{Module, StateDict},
    no_grad,
};
use std::collections::HashMap;

/// How far [`LBFGS`] goes in a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineSearch {
    /// As far as the learning rate says.
    #[default]
    None,
    /// Until the loss has fallen enough and is flat enough: Wolfe's strong conditions.
    StrongWolfe,
}

/// The options of [`LBFGS`].
#[derive(Clone, Debug, PartialEq)]
pub struct LBFGSOptions {
    /// The learning rate, from 0 on.
    pub lr: f64,
    /// The most iterations of a step.
    pub max_iter: usize,
    /// The most evaluations of a step; 1.25 times `max_iter` where it is nothing.
    pub max_eval: Option<usize>,
    /// A step ends where no gradient is larger.
    pub tolerance_grad: f64,
    /// A step ends where neither loss nor parameters change more.
    pub tolerance_change: f64,
    /// How many directions are remembered.
    pub history_size: usize,
    /// How far to go in a direction.
    pub line_search: LineSearch,
    /// Ascends instead.
    pub maximize: bool,
}

impl Default for LBFGSOptions {
    fn default() -> Self {
        Self {
            lr: 1.,
            max_iter: 20,
            max_eval: None,
            tolerance_grad: 1e-7,
            tolerance_change: 1e-9,
            history_size: 100,
            line_search: LineSearch::None,
            maximize: false,
        }
    }
}

/// L-BFGS (Liu and Nocedal, [On the limited memory BFGS
/// method](https://link.springer.com/article/10.1007/BF01589116), 1989): steps `d = -H g` by an estimate `H` of the
/// inverse of the second derivatives, from the last changes `s` of the parameters and `y` of the gradient. It sees
/// all parameters as one vector, and has no groups of them.
///
/// ```text
/// q ← -g;   for the changes from the last to the first: α = (s · q) / (y · s), q ← q - α y
/// d ← (y · s) / (y · y) q;   from the first to the last: d ← d + (α - (y · d) / (y · s)) s
/// p ← p + t d
/// ```
///
/// <https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html>
///
/// ```
/// use firesteel::{nn::{Layer, Linear}, optim::{LBFGS, LBFGSOptions, LineSearch}, prelude::*};
/// let device = Autodiff::new(Cpu);
/// let mut model = Linear::new(1, 1, &device)?;
/// let options = LBFGSOptions { line_search: LineSearch::StrongWolfe, ..Default::default() };
/// let mut optimizer = LBFGS::with_options(options);
/// let (x, y) = (Tensor::new([[1.0], [2.0]], &device)?, Tensor::new([[3.0], [5.0]], &device)?);
/// optimizer.step(&mut model, |model| (model.forward(&x)? - &y)?.square()?.mean(..))?;
/// assert!((model.weight.item::<f32>()? - 2.0).abs() < 1e-3);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LBFGS<D: Differentiable> {
    options: LBFGSOptions,
    initial_lr: Option<f64>,
    iterations: usize,
    evaluations: usize,
    memory: Option<Memory<D>>,
}

/// What is remembered between iterations.
#[derive(Clone, Debug)]
struct Memory<D: Differentiable> {
    /// The last direction, and how far it was gone.
    direction: Tensor<D::Inner>,
    t: f64,
    /// The gradient and the loss where it began.
    gradient: Tensor<D::Inner>,
    loss: f64,
    /// The last changes, the oldest first.
    changes: Vec<Change<D>>,
    /// `(y · s) / (y · y)` of the last change.
    scale: f64,
}

/// How the gradient changed with the parameters.
#[derive(Clone, Debug)]
struct Change<D: Differentiable> {
    /// Of the gradient.
    y: Tensor<D::Inner>,
    /// Of the parameters.
    s: Tensor<D::Inner>,
    /// `1 / (y · s)`.
    rho: f64,
}

impl<D: Differentiable> LBFGS<D> {
    /// L-BFGS with this learning rate, without a line search.
    pub fn new(lr: f64) -> Self {
        Self::with_options(LBFGSOptions { lr, ..Default::default() })
    }

    /// L-BFGS with these options.
    pub fn with_options(options: LBFGSOptions) -> Self {
        Self { options, initial_lr: None, iterations: 0, evaluations: 0, memory: None }
    }

    /// Minimises what `loss` gives for the model by some iterations; the loss before the first.
    pub fn step<M: Module<D>>(
        &mut self,
        model: &mut M,
        loss: impl FnMut(&M) -> Result<Tensor<D>>,
    ) -> Result<f64> {
        self.check()?;
        let LBFGSOptions { lr, max_iter, tolerance_grad, tolerance_change, line_search, maximize, .. } =
            self.options;
        let max_eval = self.options.max_eval.unwrap_or(max_iter * 5 / 4);
        let mut problem = Problem { model, loss, maximize };
        let (mut loss, mut gradient) = problem.evaluate()?;
        let first = if maximize { -loss } else { loss };
        let mut evaluations = 1;
        self.evaluations += 1;
        if gradient.numel() == 0 || largest(&gradient)? <= tolerance_grad {
            return Ok(first);
        }
        for iteration in 1..=max_iter {
            self.iterations += 1;
            let memory = match self.memory.take() {
                Some(memory) => memory.next(gradient.clone(), loss, lr, self.options.history_size)?,
                None => Memory::first(gradient.clone(), loss, lr)?,
            };
            let memory = self.memory.insert(memory);
            let slope = dot(&gradient, &memory.direction)?;
            if slope > -tolerance_change {
                break;
            }
            let evaluated = match line_search {
                LineSearch::StrongWolfe => {
                    let start = Point { t: 0., loss, gradient: gradient.clone(), slope };
                    let size = largest(&memory.direction)?;
                    let (end, evaluated) =
                        strong_wolfe(start, memory.t, size, max_eval.saturating_sub(evaluations), |t| {
                            problem.evaluate_at(t, &memory.direction)
                        })?;
                    problem.go(end.t, &memory.direction)?;
                    memory.t = end.t;
                    (loss, gradient) = (end.loss, end.gradient);
                    evaluated
                }
                LineSearch::None => {
                    problem.go(memory.t, &memory.direction)?;
                    // what follows the last iteration is evaluated by the next step
                    if iteration == max_iter {
                        break;
                    }
                    (loss, gradient) = problem.evaluate()?;
                    1
                }
            };
            evaluations += evaluated;
            self.evaluations += evaluated;
            if evaluations >= max_eval
                || largest(&gradient)? <= tolerance_grad
                || largest(&memory.direction.mul(memory.t)?)? <= tolerance_change
                || (loss - memory.loss).abs() < tolerance_change
            {
                break;
            }
        }
        Ok(first)
    }

    fn check(&self) -> Result<()> {
        check("LBFGS", [("lr", self.options.lr)], 0.0..)?;
        let tolerances = [
            ("tolerance_grad", self.options.tolerance_grad),
            ("tolerance_change", self.options.tolerance_change),
        ];
        check("LBFGS", tolerances, f64::NEG_INFINITY..)?;
        check("LBFGS", [("history_size", self.options.history_size as f64)], 1.0..)
    }

    /// What is remembered between steps: with it a resumed run continues exactly.
    pub fn state_dict(&self) -> Result<StateDict> {
        let mut saved = StateDict::new();
        let mut put = |key: &str, data: TensorData| saved.insert(key.to_owned(), data);
        put("n_iter", whole_number(self.iterations as i64)?);
        put("func_evals", whole_number(self.evaluations as i64)?);
        for (key, number) in self.clone().rates().named() {
            put(&format!("param_groups.0.{key}"), real_number(number)?);
        }
        let Some(memory) = &self.memory else {
            return Ok(saved);
        };
        let stacked = |part: fn(&Change<D>) -> &Tensor<D::Inner>| -> Result<TensorData> {
            match &memory.changes[..] {
                [] => memory.direction.unsqueeze(0)?.narrow(0, 0, 0)?.to_data(),
                changes => Tensor::stack(&changes.iter().map(part).collect::<Vec<_>>(), 0)?.to_data(),
            }
        };
        put("d", memory.direction.to_data()?);
        put("t", real_number(memory.t)?);
        put("prev_flat_grad", memory.gradient.to_data()?);
        put("prev_loss", real_number(memory.loss)?);
        put("H_diag", real_number(memory.scale)?);
        put("old_dirs", stacked(|change| &change.y)?);
        put("old_stps", stacked(|change| &change.s)?);
        let rho: Vec<f64> = memory.changes.iter().map(|change| change.rho).collect();
        put("ro", TensorData::new(rho.len(), Data::F64(rho))?);
        Ok(saved)
    }

    /// Restores what [`state_dict`](Self::state_dict) gave. Anything missing, unexpected or of another shape
    /// is an error, which names it, and then nothing is changed.
    pub fn load_state_dict(&mut self, model: &impl Module<D>, state: &StateDict) -> Result<()> {
        let mut saved = Saved::new(state);
        let mut loaded = self.clone();
        loaded.iterations = saved.whole_number("n_iter")? as usize;
        loaded.evaluations = saved.whole_number("func_evals")? as usize;
        loaded.rates().load(&mut saved, "param_groups.0")?;
        loaded.memory = match parameters::distinct(model).first() {
            Some((_, first)) if saved.has("d") => Some(Memory::load(model, first, &mut saved)?),
            _ => None,
        };
        saved.finish()?;
        *self = loaded;
        Ok(())
    }

    fn rates(&mut self) -> GroupRates<'_> {
        GroupRates { lr: &mut self.options.lr, initial_lr: &mut self.initial_lr, momentum: None }
    }
}

/// For training loops that take any optimizer.
impl<D: Differentiable> Optimizer<D> for LBFGS<D> {
    const ASKS_AGAIN: bool = true;

    fn step(&mut self, _: &mut impl Module<D>, _: &Gradients<D::Inner>) -> Result<()> {
        let why = "a step asks for the loss again, for which gradients alone do not serve: pass a function that gives it";
        Err(Error::unsupported("LBFGS", why))
    }
    fn step_again<M: Module<D>>(
        &mut self,
        model: &mut M,
        _: &Gradients<D::Inner>,
        loss: impl FnMut(&M) -> Result<Tensor<D>>,
    ) -> Result<()> {
        self.step(model, loss).map(drop)
    }
    fn state_dict(&self, _: &impl Module<D>) -> Result<StateDict> {
        self.state_dict()
    }
    fn load_state_dict(&mut self, model: &impl Module<D>, state: &StateDict) -> Result<()> {
        self.load_state_dict(model, state)
    }
}

impl<D: Differentiable> Rates for LBFGS<D> {
    fn lrs(&self) -> Vec<f64> {
        vec![self.options.lr]
    }

    fn rates_mut(&mut self) -> Vec<GroupRates<'_>> {
        vec![self.rates()]
    }
}

impl<D: Differentiable> Memory<D> {
    /// The first direction: against the gradient, and not far where that is large.
    fn first(gradient: Tensor<D::Inner>, loss: f64, lr: f64) -> Result<Self> {
        let t = (1. / gradient.abs()?.sum(..)?.item::<f64>()?).min(1.) * lr;
        Ok(Self { direction: gradient.neg()?, t, gradient, loss, changes: vec![], scale: 1. })
    }

    /// The next direction, by what the last one changed.
    fn next(self, gradient: Tensor<D::Inner>, loss: f64, lr: f64, most: usize) -> Result<Self> {
        let Memory { direction, t, gradient: last, mut changes, mut scale, .. } = self;
        let (y, s) = (gradient.sub(&last)?, direction.mul(t)?);
        let product = dot(&y, &s)?;
        if product > 1e-10 {
            if changes.len() >= most {
                changes.remove(0);
            }
            scale = product / dot(&y, &y)?;
            changes.push(Change { y, s, rho: 1. / product });
        }
        let mut q = gradient.neg()?;
        let mut alphas = Vec::with_capacity(changes.len());
        for Change { y, s, rho } in changes.iter().rev() {
            let alpha = dot(s, &q)? * rho;
            Expr::update([&mut q], |[q]| [q - y.lazy() * alpha])?;
            alphas.push(alpha);
        }
        Expr::update([&mut q], |[q]| [q * scale])?;
        for (Change { y, s, rho }, alpha) in changes.iter().zip(alphas.into_iter().rev()) {
            let beta = dot(y, &q)? * rho;
            Expr::update([&mut q], |[q]| [q + s.lazy() * (alpha - beta)])?;
        }
        Ok(Self { direction: q, t: lr, gradient, loss, changes, scale })
    }

    fn load(model: &impl Module<D>, first: &Tensor<D>, saved: &mut Saved<'_>) -> Result<Self> {
        let (device, dtype) = (first.backend().beneath(), flat_dtype(model, first));
        let numel = parameters::distinct(model).iter().map(|(_, p)| p.numel()).sum::<usize>();
        let upload = |data: &TensorData| Tensor::from_data(data.clone().cast(dtype), device);
        let mut vector = |key| upload(saved.tensor(key, &Shape::from(numel))?);
        let (direction, gradient) = (vector("d")?, vector("prev_flat_grad")?);
        let rho = saved.data("ro")?.to_vec::<f64>();
        let mut rows = |key| -> Result<Vec<Tensor<D::Inner>>> {
            let all = upload(saved.tensor(key, &Shape::from([rho.len(), numel]))?)?;
            (0..rho.len()).map(|i| all.select(0, i as i64)).collect()
        };
        let (ys, ss) = (rows("old_dirs")?, rows("old_stps")?);
        let changes = ys.into_iter().zip(ss).zip(rho).map(|((y, s), rho)| Change { y, s, rho }).collect();
        let (t, loss) = (saved.number("t")?, saved.number("prev_loss")?);
        Ok(Self { direction, t, gradient, loss, changes, scale: saved.number("H_diag")? })
    }
}

/// The dtype of all parameters as one vector.
fn flat_dtype<D: Differentiable>(model: &impl Module<D>, first: &Tensor<D>) -> crate::DType {
    parameters::distinct(model).iter().fold(first.dtype(), |dtype, (_, p)| dtype.promote(p.dtype()))
}

fn dot<D: crate::Backend>(a: &Tensor<D>, b: &Tensor<D>) -> Result<f64> {
    a.dot(b)?.item()
}

/// The largest magnitude.
fn largest<D: crate::Backend>(x: &Tensor<D>) -> Result<f64> {
    x.norm(f64::INFINITY, ..)?.item()
}

/// What is minimised, as a function of one vector.
struct Problem<'a, M, F> {
    model: &'a mut M,
    loss: F,
    maximize: bool,
}

impl<M, F> Problem<'_, M, F> {
    /// The loss, and its gradient as one vector.
    fn evaluate<D: Differentiable>(&mut self) -> Result<(f64, Tensor<D::Inner>)>
    where
        M: Module<D>,
        F: FnMut(&M) -> Result<Tensor<D>>,
    {
        let loss = (self.loss)(self.model)?;
        let gradients = loss.backward()?;
        let found = parameters::gradients("LBFGS", self.model, &gradients)?;
        let found: HashMap<u64, Tensor<D::Inner>> =
            found.into_iter().map(|found| (found.id, found.gradient)).collect();
        let pieces = parameters::distinct(self.model).into_iter().map(|(id, p)| match found.get(&id) {
            Some(gradient) => gradient.flatten(0, -1),
            None => p.lower().zeros_like()?.flatten(0, -1),
        });
        let pieces = pieces.collect::<Result<Vec<_>>>()?;
        let gradient = Tensor::cat(&pieces.iter().collect::<Vec<_>>(), 0)?;
        let loss = loss.item::<f64>()?;
        Ok(if self.maximize { (-loss, gradient.neg()?) } else { (loss, gradient) })
    }

    /// Moves the parameters by `t · direction`.
    fn go<D: Differentiable>(&mut self, t: f64, direction: &Tensor<D::Inner>) -> Result<()>
    where
        M: Module<D>,
    {
        let mut start = 0;
        no_grad(|| {
            parameters::change(self.model, |parameters| {
                parameters.into_iter().try_for_each(|(_, p)| {
                    let piece = direction.narrow(0, start, p.numel())?.reshape(p.shape())?.to(p.dtype())?;
                    start += p.numel();
                    let piece = Tensor::lift(p.backend(), piece);
                    Expr::update([p], |[p]| [p + piece.lazy() * t])
                })
            })
        })
    }

    /// What lies in that direction; the parameters are then as they were.
    fn evaluate_at<D: Differentiable>(
        &mut self,
        t: f64,
        direction: &Tensor<D::Inner>,
    ) -> Result<Point<D::Inner>>
    where
        M: Module<D>,
        F: FnMut(&M) -> Result<Tensor<D>>,
    {
        let before: HashMap<u64, Tensor<D>> =
            parameters::distinct(self.model).into_iter().map(|(id, p)| (id, p.clone())).collect();
        self.go(t, direction)?;
        let (loss, gradient) = self.evaluate()?;
        parameters::change(self.model, |parameters| {
            for (id, p) in parameters {
                if let Some(before) = before.get(&id) {
                    *p = before.clone();
                }
            }
            Ok(())
        })?;
        let slope = dot(&gradient, direction)?;
        Ok(Point { t, loss, gradient, slope })
    }
}
