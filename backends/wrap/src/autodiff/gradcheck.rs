//! Gradients held against differences.
use super::{Autodiff, is_grad_enabled};
use firesteel_core::{Backend, DType, Error, Op, Operands, Result, Tensor};

/// How closely a gradient has to agree with differences.
/// <https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradCheck {
    /// How far each element is moved to both sides.
    pub eps: f64,
    /// The largest absolute difference that is allowed.
    pub atol: f64,
    /// The largest difference that is allowed besides, relative to the numeric derivative.
    pub rtol: f64,
}

impl Default for GradCheck {
    fn default() -> Self {
        Self { eps: 1e-6, atol: 1e-5, rtol: 1e-3 }
    }
}

type Over<B> = Tensor<Autodiff<B>>;
type Function<'a, B> = dyn Fn(&[Over<B>]) -> Result<Over<B>> + 'a;

/// Holds every derivative of `f` at `xs` against central differences, `(f(x + eps) - f(x - eps)) / 2 eps`. The
/// operands are F64; those of other dtypes are constants. An error says which derivative is wrong.
///
/// ```
/// use firesteel::{GradCheck, gradcheck, prelude::*};
/// let x = Tensor::new([0.3, -1.2], (DType::F64, &Cpu::default()))?;
/// gradcheck(|xs| xs[0].tanh(), &[x], GradCheck::default())?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn gradcheck<B: Backend>(
    f: impl Fn(&[Over<B>]) -> Result<Over<B>>,
    xs: &[Tensor<B>],
    options: GradCheck,
) -> Result<()> {
    check("gradcheck", &f, xs, options)
}

/// Holds the derivatives of `f`'s gradients against central differences: the second order.
///
/// ```
/// use firesteel::{GradCheck, gradgradcheck, prelude::*};
/// let x = Tensor::new([0.3, -1.2], (DType::F64, &Cpu::default()))?;
/// gradgradcheck(|xs| xs[0].tanh(), &[x], GradCheck::default())?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn gradgradcheck<B: Backend>(
    f: impl Fn(&[Over<Autodiff<B>>]) -> Result<Over<Autodiff<B>>>,
    xs: &[Tensor<B>],
    options: GradCheck,
) -> Result<()> {
    second(&f, xs, options)
}

fn second<B: Backend>(f: &Function<'_, Autodiff<B>>, xs: &[Tensor<B>], options: GradCheck) -> Result<()> {
    let y = f(&xs.iter().map(|x| leaf(&leaf(x)?)).collect::<Result<Vec<_>>>()?)?;
    // a cotangent without a pattern, which is differentiated by as well
    let numbers: Vec<f64> = (0..y.numel()).map(|i| (1.0 + i as f64 * 0.7).sin()).collect();
    let device = y.backend().0.0.clone();
    let cotangent = Tensor::new(numbers, (DType::F64, &device))?.reshape(y.shape())?;
    let operands: Vec<_> = xs.iter().cloned().chain([cotangent]).collect();
    let gradients = |operands: &[Over<B>]| {
        let Some((cotangent, xs)) = operands.split_last() else {
            return Err(Error::internal("gradgradcheck", "has no cotangent"));
        };
        let outer = xs.iter().map(leaf).collect::<Result<Vec<_>>>()?;
        let all = f(&outer)?.backward_with(cotangent)?;
        let flat = |x: &Over<Autodiff<B>>| {
            let g = all.find(x).cloned().map_or_else(|| x.lower().zeros_like(), Ok)?;
            g.reshape([g.numel()])
        };
        let real = outer.iter().filter(|x| x.dtype().is_float());
        let parts = real.map(flat).collect::<Result<Vec<_>>>()?;
        Tensor::one(Op::Concat(parts.iter().collect::<Operands<_>>(), 0))
    };
    check("gradgradcheck", &gradients, &operands, options)
}

fn check<B: Backend>(
    name: &'static str,
    f: &Function<'_, B>,
    xs: &[Tensor<B>],
    options: GradCheck,
) -> Result<()> {
    if !is_grad_enabled() {
        return Err(Error::gradient(name, "nothing is recorded inside of `no_grad`"));
    }
    if let Some(x) = xs.iter().find(|x| x.dtype().is_float() && x.dtype() != DType::F64) {
        return Err(Error::dtype(name, format!("differences need F64, not {}", x.dtype())));
    }
    let leaves = xs.iter().map(leaf).collect::<Result<Vec<_>>>()?;
    let y = f(&leaves)?;
    let analytic = rows(&y, &leaves)?;
    for (operand, x) in xs.iter().enumerate().filter(|(_, x)| x.dtype().is_float()) {
        for element in 0..x.numel() {
            let moved = |by: f64| {
                let mut xs: Vec<_> = xs.iter().map(constant).collect();
                let mut numbers = x.to_vec::<f64>()?;
                numbers[element] += by;
                let x = Tensor::new(numbers, (DType::F64, x.backend()))?.reshape(x.shape())?;
                xs[operand] = constant(&x);
                f(&xs)?.to_vec::<f64>()
            };
            let (above, below) = (moved(options.eps)?, moved(-options.eps)?);
            for (result, (above, below)) in above.iter().zip(&below).enumerate() {
                let want = (above - below) / (2.0 * options.eps);
                let have = analytic[result][operand][element];
                // false for NaN
                let close = (have - want).abs() <= options.atol + options.rtol * want.abs();
                if !close {
                    let why = format!(
                        "the derivative of result {result} by element {element} of operand {operand} is \
                         {have}, and differences give {want}"
                    );
                    return Err(Error::gradient(name, why));
                }
            }
        }
    }
    Ok(())
}

/// For each element of `y`, its derivatives by the elements of each of `xs`.
fn rows<B: Backend>(y: &Over<B>, xs: &[Over<B>]) -> Result<Vec<Vec<Vec<f64>>>> {
    let row = |i: usize| {
        let numbers: Vec<f64> = (0..y.numel()).map(|j| f64::from(u8::from(i == j))).collect();
        let cotangent = Tensor::new(numbers, (y.dtype(), y.lower().backend()))?.reshape(y.shape())?;
        let all = y.backward_with(&cotangent)?;
        xs.iter()
            .map(|x| match all.find(x) {
                Some(g) => g.to_vec(),
                None => Ok(vec![0.0; x.numel()]),
            })
            .collect()
    };
    if !y.is_tracked() {
        return Ok(vec![xs.iter().map(|x| vec![0.0; x.numel()]).collect(); y.numel()]);
    }
    (0..y.numel()).map(row).collect()
}

fn constant<B: Backend>(x: &Tensor<B>) -> Over<B> {
    Tensor::lift(&Autodiff::new(x.backend().clone()), x.clone())
}

/// A leaf, where it is of real numbers.
fn leaf<B: Backend>(x: &Tensor<B>) -> Result<Over<B>> {
    if x.dtype().is_float() { constant(x).requires_grad() } else { Ok(constant(x)) }
}
