//! A whole backend in a page: kernels for the primitives, and the decompositions of the core for the rest.
//!
//! It keeps every number as an f64, rounded to what its dtype holds, and knows F32, whole numbers and Bool.
//!
//!     cargo run --release --example toy_backend
use firesteel::{
    ArgReduce, Binary, Compare, Conv, Data, Device, Distribution, Generator, Layout, MemoryStats, Meta,
    Metas, Op, Outputs, Reduce, Scan, Scatter, Stream, TensorData, Unary, prelude::*, recipe,
};
use std::{cmp::Ordering, collections::BTreeSet, future::ready, iter::zip, sync::Arc, sync::Mutex};

/// The machine; it has no state but its random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Toy;

/// Numbers in row-major order.
#[derive(Clone, Debug)]
pub struct Value {
    meta: Meta,
    data: Arc<Vec<f64>>,
}

/// A match whose arms stand beside each other.
macro_rules! table {
    ($kind:ident: $type:ident; $($name:ident $f:expr;)*) => { match $kind { $($type::$name => $f),* } };
}

static GENERATOR: Generator = Generator::new(0);

impl Backend for Toy {
    type Value = Value;

    fn device(&self) -> Device {
        Device { kind: "toy", index: 0 }
    }
    fn meta(v: &Value) -> &Meta {
        &v.meta
    }
    fn upload(&self, data: TensorData) -> Result<Value> {
        Ok(value(&data.meta(), data.to_vec::<f64>()))
    }
    fn download(&self, v: &Value) -> impl Future<Output = Result<TensorData>> + Send {
        ready(TensorData::new(&v.meta.shape, Data::F64(v.data.to_vec())).map(|data| data.cast(v.meta.dtype)))
    }
    fn memory(&self) -> MemoryStats {
        MemoryStats::default()
    }
    fn empty_cache(&self) {}
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
    fn generator(&self) -> &Generator {
        &GENERATOR
    }

    fn eval(&self, op: Op<&Value>, out: &Metas) -> Result<Outputs<Value>> {
        let (name, shape, dtype) = (op.name(), &out[0].shape, out[0].dtype);
        if dtype.is_float() && dtype != DType::F32 {
            return Err(Error::unsupported(name, format!("the toy has no {dtype}")));
        }
        OWN.lock().map(|mut own| own.insert(name)).ok();
        let (n, set): (usize, Join) = (shape.numel(), |_, x| x);
        let whole = Layout::contiguous(shape.clone());
        let data = match op {
            Op::Full(x, ..) => vec![x.to_f64(); n],
            Op::Arange { start, step, len, .. } => {
                (0..len).map(|i| start.to_f64() + i as f64 * step.to_f64()).collect()
            }
            Op::Random(kind, stream, ..) => (0..n).map(|i| random(kind, stream, i)).collect(),

            Op::Reshape(x, _) | Op::Cast(x, _) => x.data.to_vec(),
            Op::Permute(x, axes) => x.seen(&x.layout().permute(&axes)),
            Op::Broadcast(x, _) => x.seen(&x.layout().broadcast(shape)),
            Op::Slice(x, spans) => x.seen(&x.layout().slice(&spans)),
            Op::Windows { x, axis, size, step } => x.seen(&x.layout().windows(axis, size, step)),

            Op::Unary(kind, x) => x.data.iter().map(|&x| unary(kind, x, dtype)).collect(),
            Op::Binary(kind, a, b) => {
                (0..n).map(|i| binary(kind, a.data[i], b.data[i], dtype)).collect::<Result<_>>()?
            }
            Op::Compare(kind, a, b) => (0..n).map(|i| compare(kind, a.data[i], b.data[i])).collect(),
            Op::Select(c, a, b) => (0..n).map(|i| [b, a][c.data[i] as usize].data[i]).collect(),

            Op::Reduce(kind, x, _) => {
                let (start, join): (f64, Join) = table! { kind: Reduce;
                    Sum (0., |a, b| a + b); Mean (0., |a, b| a + b); Prod (1., |a, b| a * b);
                    Max (f64::NEG_INFINITY, larger); Min (f64::INFINITY, smaller);
                };
                let count = if kind == Reduce::Mean { x.data.len() as f64 / n as f64 } else { 1. };
                let y = put(vec![start; n], whole.broadcast(&x.meta.shape).offsets(), &x.data, join);
                y.into_iter().map(|y| y / count).collect()
            }
            Op::ArgReduce(kind, x, axis) => {
                let max = kind == ArgReduce::Max;
                let better = |a: f64, b: f64| a.is_nan() && !b.is_nan() || if max { a > b } else { a < b };
                let mut best = vec![None; n];
                for (i, at) in whole.broadcast(&x.meta.shape).offsets().enumerate() {
                    if best[at].is_none_or(|best: usize| better(x.data[i], x.data[best])) {
                        best[at] = Some(i);
                    }
                }
                best.into_iter().flatten().map(|i| x.along(axis, i) as f64).collect()
            }
            Op::Scan(Scan::Sum, x, axis) => x.scan(axis, |i, last| last.unwrap_or(0.) + x.data[i]),
            Op::Scan(Scan::Prod, x, axis) => x.scan(axis, |i, last| last.unwrap_or(1.) * x.data[i]),
            Op::Recurrence { a, b, axis } => {
                a.scan(axis, |i, last| a.data[i] * last.unwrap_or(0.) + b.data[i])
            }
            Op::Sort { x, axis, descending } => {
                let (step, len) = (x.step(axis), x.meta.shape[axis]);
                let row = |i: usize| i - x.along(axis, i) * step;
                let key = |i: usize, j: usize| order(x.data[i], x.data[j]);
                let mut from: Vec<usize> = (0..x.data.len()).collect();
                from.sort_by(|&i, &j| {
                    row(i).cmp(&row(j)).then_with(|| if descending { key(j, i) } else { key(i, j) })
                });
                let (mut values, mut indices) = (vec![0.; from.len()], vec![0.; from.len()]);
                for (place, &i) in from.iter().enumerate() {
                    let to = row(i) + place % len * step;
                    (values[to], indices[to]) = (x.data[i], x.along(axis, i) as f64);
                }
                return Ok([value(&out[0], values), value(&out[1], indices)].into_iter().collect());
            }
            Op::SearchSorted { sorted, values, right } => {
                let [m, n] = [sorted, values].map(|x| x.meta.shape.last().copied().unwrap_or(1));
                let row = |i: usize| if sorted.meta.shape.rank() == 1 { 0 } else { i / n * m };
                let limit = if right { Ordering::Greater } else { Ordering::Equal };
                let place =
                    |i: usize, v: f64| sorted.data[row(i)..][..m].partition_point(|&s| order(s, v) < limit);
                (0..values.data.len()).map(|i| place(i, values.data[i]) as f64).collect()
            }

            Op::MatMul(a, b) => {
                let (columns, rows, k) =
                    (shape[shape.rank() - 1], shape[shape.rank() - 2], a.meta.shape[shape.rank() - 1]);
                let term = |i: usize, p: usize| {
                    a.data[i / columns * k + p] * b.data[(i / columns / rows * k + p) * columns + i % columns]
                };
                (0..n).map(|i| (0..k).map(|p| term(i, p)).sum()).collect()
            }
            Op::Conv(c, x, w) => {
                convolve(&c, [shape, &x.meta.shape, &w.meta.shape], n, |[y, i, j]| (y, x.data[i] * w.data[j]))
            }
            Op::ConvInputGrad { conv: c, g, w, .. } => {
                convolve(&c, [&g.meta.shape, shape, &w.meta.shape], n, |[i, x, j]| (x, g.data[i] * w.data[j]))
            }
            Op::ConvWeightGrad { conv: c, g, x, .. } => {
                convolve(&c, [&g.meta.shape, &x.meta.shape, shape], n, |[i, j, w]| (w, g.data[i] * x.data[j]))
            }

            Op::Gather { x, index, axis } | Op::IndexSelect { x, index, axis } => {
                x.places(index, axis, shape)?.into_iter().map(|at| x.data[at]).collect()
            }
            Op::Scatter { kind, into, index, x, axis } | Op::IndexPut { kind, into, index, x, axis } => {
                let join: Join = table! { kind: Scatter;
                    Set set; Add |y, x| y + x; Mul |y, x| y * x; Max larger; Min smaller;
                };
                put(into.data.to_vec(), into.places(index, axis, &x.meta.shape)?, &x.data, join)
            }
            Op::WrapIndex(index, len) => {
                let wrap = |&i: &f64| checked(if i < 0. { i + len as f64 } else { i }, len).map(|i| i as f64);
                index.data.iter().map(wrap).collect::<Result<_>>()?
            }

            Op::Concat(xs, axis) => {
                let (mut y, mut part) = (vec![0.; n], whole);
                for x in xs {
                    part.shape = x.meta.shape.clone();
                    y = put(y, part.offsets(), &x.data, set);
                    part.offset += x.meta.shape[axis] * part.strides[axis] as usize;
                }
                y
            }
            Op::Pad(x, padding, fill) => {
                let mut inner = Layout { shape: x.meta.shape.clone(), ..whole };
                for (axis, pad) in padding.iter().enumerate() {
                    inner.offset += pad.low * inner.strides[axis] as usize;
                    inner.strides[axis] *= pad.interior as isize + 1;
                }
                put(vec![fill.to_f64(); n], inner.offsets(), &x.data, set)
            }
            Op::Fold { x, axis, step, .. } => {
                let windows = whole.windows(axis, x.meta.shape[x.meta.shape.rank() - 1], step);
                put(vec![0.; n], windows.offsets(), &x.data, |y, x| y + x)
            }
            Op::Write { into, x, spans } => {
                put(into.data.to_vec(), whole.slice(&spans).offsets(), &x.data, set)
            }
            Op::Fused(..) | Op::Custom(..) => return Err(Error::internal(name, "the core decomposes it")),
        };
        Ok([value(&out[0], data)].into_iter().collect())
    }
}

/// A value of these numbers, each rounded to what the dtype can hold.
fn value(meta: &Meta, data: Vec<f64>) -> Value {
    let data = data.into_iter().map(|x| Scalar::Float(x).round_to(meta.dtype).to_f64()).collect();
    Value { meta: meta.clone(), data: Arc::new(data) }
}

impl Value {
    fn layout(&self) -> Layout {
        Layout::contiguous(self.meta.shape.clone())
    }
    fn seen(&self, view: &Layout) -> Vec<f64> {
        view.offsets().map(|at| self.data[at]).collect()
    }
    /// How far neighbours along the axis are apart.
    fn step(&self, axis: usize) -> usize {
        self.meta.shape.strides()[axis] as usize
    }
    /// Where along the axis element `i` stands.
    fn along(&self, axis: usize, i: usize) -> usize {
        i / self.step(axis) % self.meta.shape[axis]
    }
    /// Each element made of its number and what was made before it along the axis.
    fn scan(&self, axis: usize, f: impl Fn(usize, Option<f64>) -> f64) -> Vec<f64> {
        let mut y = Vec::with_capacity(self.data.len());
        for i in 0..self.data.len() {
            y.push(f(i, (self.along(axis, i) > 0).then(|| y[i - self.step(axis)])));
        }
        y
    }
    /// Where in here each element of a tensor of `shape` points; an index of rank one serves every row.
    fn places(&self, index: &Value, axis: usize, shape: &Shape) -> Result<Vec<usize>> {
        let mut view = Layout::uniform(shape.clone());
        view.strides[axis] = 1;
        let index = if index.meta.shape == *shape { index.data.to_vec() } else { index.seen(&view) };
        let mut rest = Layout { shape: shape.clone(), ..self.layout() };
        rest.strides[axis] = 0;
        let place = |(at, &i): (usize, &f64)| Ok(at + checked(i, self.meta.shape[axis])? * self.step(axis));
        zip(rest.offsets(), &index).map(place).collect()
    }
}

fn checked(index: f64, len: usize) -> Result<usize> {
    let why = || Error::index("index", format!("{index} is out of range for a dim of size {len}"));
    (0. ..len as f64).contains(&index).then_some(index as usize).ok_or_else(why)
}

type Join = fn(f64, f64) -> f64;

/// Joins each of `x` to what is at its place.
fn put(mut y: Vec<f64>, at: impl IntoIterator<Item = usize>, x: &[f64], join: Join) -> Vec<f64> {
    zip(at, x).for_each(|(at, &x)| y[at] = join(y[at], x));
    y
}

/// Adds up the products of a convolution: `term` says of each, from the places in the result, the input and the
/// weight that meet in it, where it belongs and what it is.
fn convolve(
    c: &Conv,
    [y, x, w]: [&Shape; 3],
    n: usize,
    term: impl Fn([usize; 3]) -> (usize, f64),
) -> Vec<f64> {
    let index = |shape: &Shape, at: usize| -> Vec<usize> {
        zip(&shape[..], shape.strides()).map(|(size, step)| at / (step as usize).max(1) % size).collect()
    };
    let meeting = |(i, j): (usize, usize)| {
        let (at, tap) = (index(y, i), index(w, j));
        let mut place = at[0] * x[1] + at[1] / (y[1] / c.groups) * w[1] + tap[1];
        for d in 0..c.stride.len() {
            let reach = at[d + 2] * c.stride[d] + tap[d + 2] * c.dilation[d];
            let inside = reach.checked_sub(c.padding[d]).filter(|&inside| inside < x[d + 2])?;
            place = place * x[d + 2] + inside;
        }
        (at[1] == tap[0]).then(|| term([i, place, j]))
    };
    let pairs = (0..y.numel()).flat_map(|i| (0..w.numel()).map(move |j| (i, j)));
    let (at, terms): (Vec<_>, Vec<_>) = pairs.filter_map(meeting).unzip();
    put(vec![0.; n], at, &terms, |y, term| y + term)
}

fn random(kind: Distribution, stream: Stream, i: usize) -> f64 {
    let word = |i: usize| stream.block(i as u64 / 4)[i % 4];
    let even = |i: usize| f64::from(recipe::uniform32(word(i)));
    table! { kind: Distribution;
        Uniform even(i); Normal recipe::normal(even(i & !1), even(i | 1))[i % 2]; Bits f64::from(word(i));
    }
}

fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}
fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}
/// NaN is the largest.
fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn compare(kind: Compare, a: f64, b: f64) -> f64 {
    f64::from(table! { kind: Compare; Eq a == b; Ne a != b; Lt a < b; Le a <= b; Gt a > b; Ge a >= b; })
}

fn unary(kind: Unary, x: f64, dtype: DType) -> f64 {
    table! { kind: Unary;
        Neg -x; Abs x.abs(); Sign if x == 0. || x.is_nan() { x } else { x.signum() }; Relu larger(x, 0.);
        Not if dtype == DType::Bool { 1. - x } else { -x - 1. };
        Floor x.floor(); Ceil x.ceil(); Round x.round_ties_even(); Trunc x.trunc();
        Sqrt x.sqrt(); Rsqrt 1. / x.sqrt(); Recip 1. / x; Sigmoid 1. / (1. + (-x).exp());
        Exp x.exp(); Exp2 x.exp2(); Expm1 x.exp_m1(); Log x.ln(); Log2 x.log2(); Log10 x.log10(); Log1p x.ln_1p();
        Sin x.sin(); Cos x.cos(); Tan x.tan(); Asin x.asin(); Acos x.acos(); Atan x.atan();
        Sinh x.sinh(); Cosh x.cosh(); Tanh x.tanh(); Asinh x.asinh(); Acosh x.acosh(); Atanh x.atanh();
        Erf libm::erf(x); Erfc libm::erfc(x); Erfinv erfinv(x); Lgamma libm::lgamma(x);
        Digamma if x == 0. { -1. / x } else if x < 0. && x.fract() == 0. { f64::NAN } else {
            (libm::lgamma(x + 1e-6) - libm::lgamma(x - 1e-6)) / 2e-6 // as exact as F32 can tell
        };
    }
}

/// By halving an interval, since `erf` rises everywhere.
fn erfinv(y: f64) -> f64 {
    if y.is_nan() || y.abs() >= 1. {
        return y / (1. - y.abs()).sqrt();
    }
    let half = |(a, b): (f64, f64), _| {
        if libm::erf((a + b) / 2.) < y { ((a + b) / 2., b) } else { (a, (a + b) / 2.) }
    };
    (0..64).fold((-6., 6.), half).0
}

fn binary(kind: Binary, a: f64, b: f64, dtype: DType) -> Result<f64> {
    let whole = !dtype.is_float();
    if whole && b == 0. && matches!(kind, Binary::Div | Binary::Remainder | Binary::Fmod) {
        return Err(Error::value(kind.name(), "a whole number cannot be divided by zero"));
    }
    let (i, j, inside) = (a as i64, b as i64, (0. ..8. * dtype.size() as f64).contains(&b));
    Ok(table! { kind: Binary;
        Add a + b; Sub a - b; Mul a * b; Div if whole { (a / b).trunc() } else { a / b };
        Pow if whole && b >= 0. { i.wrapping_pow(j as u32) as f64 } else if whole { a.powf(b).trunc() } else { a.powf(b) };
        Remainder a - b * (a / b).floor(); Fmod a % b;
        Maximum larger(a, b); Minimum smaller(a, b); Atan2 a.atan2(b); Copysign a.copysign(b);
        BitAnd (i & j) as f64; BitOr (i | j) as f64; BitXor (i ^ j) as f64;
        Shl if inside { (i << j) as f64 } else { 0. }; Shr if inside { (i >> j) as f64 } else { (i >> 63) as f64 };
        Zeta return Err(Error::unsupported("zeta", "the toy has no series"));
    })
}

static OWN: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// A formula and its gradient, and which kernels they took.
fn main() -> Result<()> {
    let x = Tensor::new([[0.5, -1.0], [2.0, 0.0]], &Autodiff::new(Toy))?.requires_grad()?;
    let y = x.matmul(&x)?.softmax(1)?.log()?.mean(..)?;
    println!("{y} has the gradient {}", y.backward()?.get(&x)?);
    println!("kernels of its own that ran, the rest being made of them: {:?}", OWN.lock());
    Ok(())
}
