//! Adafactor.
use super::{
    Batch, ParamState, Rule,
    options::{check, optimizer, uphill},
};
use crate::{DType, Differentiable, Expr, Result, Shape, Tensor, keepdim};

optimizer! {
    /// Adafactor (Shazeer and Stern, [Adaptive learning rates with sublinear memory
    /// cost](https://arxiv.org/abs/1804.04235), 2018), which remembers of the squares of a matrix only the means `r`
    /// of its rows and `c` of its columns, with weight decay `λ` and steps in proportion to the parameters:
    ///
    /// ```text
    /// ρ = min(lr, 1 / √t)
    /// α = max(ε₂, rms(p)) ρ
    /// p ← p - lr λ p
    /// r ← r + t^γ (mean of g² over columns - r)
    /// c ← c + t^γ (mean of g² over rows - c)
    /// v = r c / max(mean r, ε₁)            (of what is no matrix: v ← v + t^γ (g² - v))
    /// u = g / √max(v, ε₁²)
    /// p ← p - α u / max(1, rms(u) / d)
    /// ```
    Adafactor AdafactorOptions {
        lr: 1e-2,
        /// The power `γ` by which the averages slow down, up to 0.
        beta2_decay: f64 = -0.8,
        /// The least square root of a variance, without which it is the dtype's own precision; and the least size of
        /// the parameters. Both from 0 on.
        eps: (Option<f64>, f64) = (None, 1e-3),
        /// The largest size of a step before it is cut, from 1 on.
        d: f64 = 1.,
        /// Pulls the parameters to zero, from 0 on.
        weight_decay: f64 = 0.,
        /// Ascends instead.
        maximize: bool = false,
    }
}

const ROWS: &str = "row_var";
const COLUMNS: &str = "col_var";
const VARIANCE: &str = "variance";

impl AdafactorOptions {
    /// The average of squares with this gradient, as far as it can be told from what is remembered.
    fn variance<D: Differentiable>(
        &self,
        g: &Tensor<D>,
        eps: f64,
        state: &mut ParamState<D>,
    ) -> Result<Tensor<D>> {
        let weight = (state.step() as f64).powf(self.beta2_decay);
        let mut average = |key, new: Tensor<D>| -> Result<Tensor<D>> {
            let [old] = state.tensors([key], &new)?;
            Expr::update([&mut *old], |[old]| [old.clone() + (new.lazy() - old) * weight])?;
            Ok(old.clone())
        };
        let squares = g.square()?;
        if g.rank() < 2 {
            return average(VARIANCE, squares);
        }
        let rows = average(ROWS, squares.mean(keepdim(-1))?)?;
        let columns = average(COLUMNS, squares.mean(keepdim(-2))?)?;
        let mean = rows.mean(keepdim(-2))?;
        (rows.lazy() * &columns / mean.lazy().maximum(eps)).eval()
    }
}

/// `√(mean x²)`, without dims.
fn rms<D: Differentiable>(x: &Tensor<D>) -> Result<Tensor<D>> {
    x.norm(2, ..)?.div((x.numel() as f64).sqrt())
}

/// The distance from 1 to the next number.
fn precision(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        DType::F16 => 2f64.powi(-10),
        DType::BF16 => 2f64.powi(-7),
        _ => f32::EPSILON.into(),
    }
}

impl Rule for AdafactorOptions {
    fn check(&self) -> Result<()> {
        let (eps1, eps2) = self.eps;
        let numbers = [
            ("lr", self.lr),
            ("eps.0", eps1.unwrap_or(0.)),
            ("eps.1", eps2),
            ("weight_decay", self.weight_decay),
        ];
        check("Adafactor", numbers, 0.0..)?;
        check("Adafactor", [("beta2_decay", self.beta2_decay)], ..=0.0)?;
        check("Adafactor", [("d", self.d)], 1.0..)
    }

    fn tensors(&self, shape: &Shape) -> Vec<&'static str> {
        if shape.rank() < 2 { vec![VARIANCE] } else { vec![ROWS, COLUMNS] }
    }

    fn shape(&self, key: &str, parameter: &Shape) -> Shape {
        let (mut shape, rank) = (parameter.clone(), parameter.rank());
        match key {
            ROWS => shape[rank - 1] = 1,
            COLUMNS => shape[rank - 2] = 1,
            _ => (),
        }
        shape
    }

    fn update<D: Differentiable>(&self, batch: &mut Batch<'_, D>) -> Result<()> {
        batch.each(|p, gradient, state| {
            let Self { lr, eps: (eps1, eps2), d, weight_decay, maximize, .. } = *self;
            let eps = eps1.unwrap_or_else(|| precision(p.dtype()));
            let rho = (state.step() as f64).sqrt().recip().min(lr);
            let alpha = rms(p)?.lazy().maximum(eps2) * rho;
            let variance = self.variance(gradient, eps, state)?;
            let step =
                (uphill(gradient.lazy(), maximize) / variance.lazy().maximum(eps * eps).sqrt()).eval()?;
            let rate = (alpha / (rms(&step)? / d)?.lazy().maximum(1.)).eval()?;
            Expr::update([p], |[p]| {
                let p = if weight_decay == 0. { p } else { p * (1. - lr * weight_decay) };
                [p - step.lazy() * rate.lazy()]
            })
        })
    }
}
