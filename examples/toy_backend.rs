//! A whole backend on a few pages: a kernel for each primitive, and the decompositions of the core for the rest.
//!
//! It knows F32, whole numbers and Bool. Real numbers are computed with as f64 and whole ones as i64; every result is
//! then rounded to what its dtype holds.
//!
//!     cargo run --release --example toy_backend
use Binary::{Add, Maximum, Minimum, Mul};
use Scalar::{Bool, Float, Int};
use firesteel::{
    ArgReduce, Binary, Compare, Conv, Device, Distribution, Element, Generator, Layout, Meta, Metas, Op,
    Outputs, Reduce, Scan, Scatter, Stream, TensorData, Unary, prelude::*, recipe, with_dtype,
};
use std::{cmp::Ordering, future::ready, iter::zip, sync::Arc};

/// The machine; it has no state but its random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Toy;

/// Numbers in row-major order.
#[derive(Clone, Debug)]
pub struct Value {
    meta: Meta,
    data: Arc<Vec<Scalar>>,
}

/// A match whose arms stand beside each other.
macro_rules! table {
    ($kind:ident: $family:ident; $($name:ident $f:expr;)*) => { match $kind { $($family::$name => $f),* } };
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
    fn generator(&self) -> &Generator {
        &GENERATOR
    }
    fn upload(&self, data: TensorData) -> Result<Value> {
        with_dtype!(data.dtype(), T => value(&data.meta(), data.to_vec::<T>().into_iter().map(Scalar::of)))
    }
    fn download(&self, v: &Value) -> impl Future<Output = Result<TensorData>> + Send {
        let data = with_dtype!(v.meta.dtype, T => T::wrap(v.data.iter().map(|x| x.to()).collect()));
        ready(TensorData::new(&v.meta.shape, data))
    }

    /// No arm catches all: each primitive has its kernel here, which `Op::primitives` lists.
    fn eval(&self, op: Op<&Value>, out: &Metas) -> Result<Outputs<Value>> {
        let (name, shape, dtype) = (op.name(), &out[0].shape, out[0].dtype);
        let (n, whole) = (shape.numel(), Layout::contiguous(shape.clone()));
        let data: Vec<Scalar> = match op {
            Op::Full(x, ..) => vec![x; n],
            Op::Arange { start, step, len, .. } => {
                (0..len).map(|i| binary(Add, start, binary(Mul, step, i.into()))).collect()
            }
            Op::Random(kind, stream, ..) => (0..n).map(|i| random(kind, stream, i, dtype)).collect(),

            Op::Reshape(x, _) | Op::Cast(x, _) => x.data.to_vec(),
            Op::Permute(x, axes) => x.seen(&x.layout().permute(&axes)),
            Op::Broadcast(x, _) => x.seen(&x.layout().broadcast(shape)),
            Op::Slice(x, spans) => x.seen(&x.layout().slice(&spans)),
            Op::Windows { x, axis, size, step } => x.seen(&x.layout().windows(axis, size, step)),

            Op::Unary(kind, x) => x.data.iter().map(|&x| unary(kind, x)).collect(),
            Op::Binary(kind, _, b) if divides(kind) && b.data.iter().any(|b| matches!(b, Int(0))) => {
                return Err(Error::value(name, "a whole number cannot be divided by zero"));
            }
            Op::Binary(kind, a, b) => (0..n).map(|i| binary(kind, a.data[i], b.data[i])).collect(),
            Op::Compare(kind, a, b) => (0..n).map(|i| compare(kind, a.data[i], b.data[i])).collect(),
            Op::Select(c, a, b) => (0..n).map(|i| [b, a][c.data[i].to_i64() as usize].data[i]).collect(),

            Op::Reduce(kind, x, _) => {
                let (start, join) = table! { kind: Reduce;
                    Sum (Int(0), Add); Mean (Float(0.), Add); Prod (Int(1), Mul);
                    Max (dtype.lowest(), Maximum); Min (dtype.highest(), Minimum);
                };
                let y = put(vec![start; n], whole.broadcast(&x.meta.shape).offsets(), x, Some(join));
                let count = Float(x.data.len() as f64 / n as f64);
                let mean = |y| if kind == Reduce::Mean { binary(Binary::Div, y, count) } else { y };
                y.into_iter().map(mean).collect()
            }
            Op::ArgReduce(kind, x, axis) => {
                let better = |a: Scalar, b: Scalar| {
                    table! { kind: ArgReduce;
                        Max order(a, b).is_gt(); Min !is_nan(b) && (is_nan(a) || order(a, b).is_lt());
                    }
                };
                let pick = |row: &[usize], a, b| if better(x.data[row[b]], x.data[row[a]]) { b } else { a };
                x.rows(axis).map(|row| (1..row.len()).fold(0, |a, b| pick(&row, a, b)).into()).collect()
            }
            Op::Scan(kind, x, axis) => {
                let (start, join) = table! { kind: Scan; Sum (0, Add); Prod (1, Mul); };
                x.scan(axis, start, |last, i| binary(join, last, x.data[i]))
            }
            Op::Recurrence { a, b, axis } => {
                a.scan(axis, 0, |last, i| binary(Add, binary(Mul, a.data[i], last), b.data[i]))
            }
            Op::Sort { x, axis, descending } => {
                let (mut values, mut indices) = (x.data.to_vec(), x.data.to_vec());
                for row in x.rows(axis) {
                    let key = |&i: &usize, &j: &usize| order(x.data[row[i]], x.data[row[j]]);
                    let mut from: Vec<usize> = (0..row.len()).collect();
                    from.sort_by(|i, j| if descending { key(j, i) } else { key(i, j) });
                    for (&to, i) in zip(&row, from) {
                        (values[to], indices[to]) = (x.data[row[i]], i.into());
                    }
                }
                return zip(out, [values, indices]).map(|(meta, data)| value(meta, data)).collect();
            }
            Op::SearchSorted { sorted, values, right } => {
                let [m, n] = [sorted, values].map(|x| x.meta.shape.last().copied().unwrap_or(1));
                let row = |i: usize| if sorted.meta.shape.rank() == 1 { 0 } else { i / n * m };
                let before = |s, v| order(s, v).is_lt() || right && order(s, v).is_eq();
                let place = |(i, &v)| sorted.data[row(i)..][..m].partition_point(|&s| before(s, v)).into();
                values.data.iter().enumerate().map(place).collect()
            }

            Op::MatMul(a, b) => {
                let &[.., rows, columns] = &shape[..] else {
                    return Err(Error::internal(name, "has two dims"));
                };
                let k = a.data.len() / (n / columns);
                let term = |i: usize, p: usize| {
                    let (row, column, batch) = (i / columns, i % columns, i / columns / rows);
                    binary(Mul, a.data[row * k + p], b.data[(batch * k + p) * columns + column])
                };
                let sum = |i| (0..k).fold(Int(0), |sum, p| binary(Add, sum, term(i, p)));
                (0..n).map(sum).collect()
            }
            Op::Conv(c, x, w) => convolve(&c, [None, Some(x), Some(w)], shape),
            Op::ConvInputGrad { conv: c, g, w, .. } => convolve(&c, [Some(g), None, Some(w)], shape),
            Op::ConvWeightGrad { conv: c, g, x, .. } => convolve(&c, [Some(g), Some(x), None], shape),

            Op::Gather { x, index, axis } | Op::IndexSelect { x, index, axis } => {
                x.places(index, axis, shape)?.into_iter().map(|at| x.data[at]).collect()
            }
            Op::Scatter { kind, into, index, x, axis } | Op::IndexPut { kind, into, index, x, axis } => {
                let join = table! { kind: Scatter;
                    Set None; Add Some(Add); Mul Some(Mul); Max Some(Maximum); Min Some(Minimum);
                };
                put(into.data.to_vec(), into.places(index, axis, &x.meta.shape)?, x, join)
            }
            Op::WrapIndex(index, len) => {
                let wrap = |i: i64| checked(if i < 0 { i + len as i64 } else { i }, len).map(Scalar::from);
                index.data.iter().map(|i| wrap(i.to_i64())).collect::<Result<_>>()?
            }

            Op::Concat(xs, axis) => {
                let (mut y, mut part) = (vec![Int(0); n], whole);
                for x in xs {
                    part.shape = x.meta.shape.clone();
                    y = put(y, part.offsets(), x, None);
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
                put(vec![fill; n], inner.offsets(), x, None)
            }
            Op::Fold { x, axis, step, .. } => {
                let windows = whole.windows(axis, x.meta.shape[x.meta.shape.rank() - 1], step);
                put(vec![Int(0); n], windows.offsets(), x, Some(Add))
            }
            Op::Write { into, x, spans } => put(into.data.to_vec(), whole.slice(&spans).offsets(), x, None),
            Op::Fused(..) | Op::Custom(..) => return Err(Error::internal(name, "the core decomposes it")),
        };
        Ok([value(&out[0], data)?].into_iter().collect())
    }
}

/// A value of these numbers, each rounded to what the dtype can hold.
fn value(meta: &Meta, data: impl IntoIterator<Item = Scalar>) -> Result<Value> {
    if meta.dtype.is_float() && meta.dtype != DType::F32 {
        return Err(Error::unsupported("toy", format!("has no {}: cast to F32", meta.dtype)));
    }
    let data = data.into_iter().map(|x| x.round_to(meta.dtype)).collect();
    Ok(Value { meta: meta.clone(), data: Arc::new(data) })
}

impl Value {
    fn layout(&self) -> Layout {
        Layout::contiguous(self.meta.shape.clone())
    }
    fn seen(&self, view: &Layout) -> Vec<Scalar> {
        view.offsets().map(|at| self.data[at]).collect()
    }
    /// Where the elements of each row along the axis are.
    fn rows(&self, axis: usize) -> impl Iterator<Item = Vec<usize>> {
        let (len, step) = (self.meta.shape[axis], self.layout().strides[axis] as usize);
        let starts = (0..self.data.len()).filter(move |i| i / step % len == 0);
        starts.map(move |start| (0..len).map(|i| start + i * step).collect())
    }
    /// Each element made of the one before it in its row and of its own place.
    fn scan(&self, axis: usize, start: i64, f: impl Fn(Scalar, usize) -> Scalar) -> Vec<Scalar> {
        let mut y = self.data.to_vec();
        for row in self.rows(axis) {
            let mut last = Int(start);
            for i in row {
                last = f(last, i);
                y[i] = last;
            }
        }
        y
    }
    /// Where in here each element of a tensor of `shape` points; an index of rank one serves every row.
    fn places(&self, index: &Value, axis: usize, shape: &Shape) -> Result<Vec<usize>> {
        let (mut serves, here) = (Layout::uniform(shape.clone()), self.layout());
        serves.strides[axis] = 1;
        let index = if index.meta.shape == *shape { index.data.to_vec() } else { index.seen(&serves) };
        let mut rest = Layout { shape: shape.clone(), ..here.clone() };
        rest.strides[axis] = 0;
        let along = |i: &Scalar| checked(i.to_i64(), here.shape[axis]).map(|i| i * here.strides[axis] as usize);
        zip(rest.offsets(), &index).map(|(at, i)| Ok(at + along(i)?)).collect()
    }
}

fn checked(index: i64, len: usize) -> Result<usize> {
    let inside = usize::try_from(index).ok().filter(|&i| i < len);
    inside.ok_or_else(|| Error::index("index", format!("{index} is out of range for a dim of size {len}")))
}

/// Joins each of `x` to what is at its place, or replaces it.
fn put(
    mut y: Vec<Scalar>,
    at: impl IntoIterator<Item = usize>,
    x: &Value,
    join: Option<Binary>,
) -> Vec<Scalar> {
    zip(at, &*x.data).for_each(|(at, &x)| y[at] = join.map_or(x, |kind| binary(kind, y[at], x)));
    y
}

/// Of a convolution's result, input and weight, what is missing: sums of products of the other two.
fn convolve(c: &Conv, parts: [Option<&Value>; 3], missing: &Shape) -> Vec<Scalar> {
    let [y, x, w] = parts.map(|part| part.map_or(missing, |v| &v.meta.shape));
    let index = |shape: &Shape, at: usize| -> Vec<usize> {
        zip(&shape[..], shape.strides()).map(|(size, step)| at / step as usize % size).collect()
    };
    // where in the input an element of the result meets one of the weight
    let meet = |(i, j): (usize, usize)| {
        let (at, tap) = (index(y, i), index(w, j));
        let mut place = at[0] * x[1] + at[1] / (y[1] / c.groups) * w[1] + tap[1];
        for d in 0..c.stride.len() {
            let reach = at[d + 2] * c.stride[d] + tap[d + 2] * c.dilation[d];
            place = place * x[d + 2] + reach.checked_sub(c.padding[d]).filter(|&at| at < x[d + 2])?;
        }
        (at[1] == tap[0]).then_some([i, place, j])
    };
    let mut sums = vec![Int(0); missing.numel()];
    for places in (0..y.numel()).flat_map(|i| (0..w.numel()).map(move |j| (i, j))).filter_map(meet) {
        let (mut product, mut to) = (Int(1), 0);
        for (part, place) in zip(parts, places) {
            part.map_or_else(|| to = place, |v| product = binary(Mul, product, v.data[place]));
        }
        sums[to] = binary(Add, sums[to], product);
    }
    sums
}

fn random(kind: Distribution, stream: Stream, i: usize, dtype: DType) -> Scalar {
    let word = |i: usize| stream.block(i as u64 / 4)[i % 4];
    let even = |i: usize| f64::from(recipe::uniform32(word(i)));
    let wide = |i: usize| recipe::bits64(word(2 * i), word(2 * i + 1)).cast_signed();
    table! { kind: Distribution;
        Uniform Float(even(i)); Normal Float(recipe::normal(even(i & !1), even(i | 1))[i % 2]);
        Bits Int(if dtype == DType::I64 { wide(i) } else { word(i).into() });
    }
}

fn is_nan(x: Scalar) -> bool {
    x.to_f64().is_nan()
}
/// How two numbers compare, where they do.
fn ordering(a: Scalar, b: Scalar) -> Option<Ordering> {
    if let (Float(a), Float(b)) = (a, b) { a.partial_cmp(&b) } else { Some(a.to_i64().cmp(&b.to_i64())) }
}
/// As they are sorted: NaN is the largest.
fn order(a: Scalar, b: Scalar) -> Ordering {
    ordering(a, b).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}
fn compare(kind: Compare, a: Scalar, b: Scalar) -> Scalar {
    let is = |test: fn(Ordering) -> bool| ordering(a, b).is_some_and(test);
    Bool(table! { kind: Compare;
        Eq is(Ordering::is_eq); Ne !is(Ordering::is_eq); Lt is(Ordering::is_lt);
        Le is(Ordering::is_le); Gt is(Ordering::is_gt); Ge is(Ordering::is_ge);
    })
}

/// What each kind makes of real numbers, and what of whole ones; `infer` has refused what is missing.
macro_rules! arithmetic {
    ($real:ident, $kind:ident: $family:ident; $($name:ident $($of_real:expr)? $(, $of_whole:expr)?;)*) => {
        if $real {
            Float(table! { $kind: $family; $($name [$($of_real,)? f64::NAN][0];)* })
        } else {
            Int(table! { $kind: $family; $($name [$($of_whole,)? 0][0];)* })
        }
    };
}

fn unary(kind: Unary, x: Scalar) -> Scalar {
    let (x, i, real, truth) = (x.to_f64(), x.to_i64(), matches!(x, Float(_)), matches!(x, Bool(_)));
    arithmetic! { real, kind: Unary;
        Neg -x, i.wrapping_neg(); Abs x.abs(), i.wrapping_abs(); Relu if x < 0. { 0. } else { x }, i.max(0);
        Sign if x == 0. || x.is_nan() { x } else { x.signum() }, i.signum(); Not, if truth { 1 - i } else { !i };
        Floor x.floor(); Ceil x.ceil(); Round x.round_ties_even(); Trunc x.trunc();
        Sqrt x.sqrt(); Rsqrt 1. / x.sqrt(); Recip 1. / x; Sigmoid 1. / (1. + (-x).exp());
        Exp x.exp(); Exp2 x.exp2(); Expm1 x.exp_m1(); Log x.ln(); Log2 x.log2(); Log10 x.log10(); Log1p x.ln_1p();
        Sin x.sin(); Cos x.cos(); Tan x.tan(); Asin x.asin(); Acos x.acos(); Atan x.atan();
        Sinh x.sinh(); Cosh x.cosh(); Tanh x.tanh(); Asinh x.asinh(); Acosh x.acosh(); Atanh x.atanh();
        Erf libm::erf(x); Erfc libm::erfc(x); Erfinv erfinv(x); Lgamma libm::lgamma(x); Digamma digamma(x);
    }
}

fn divides(kind: Binary) -> bool {
    matches!(kind, Binary::Div | Binary::Remainder | Binary::Fmod)
}

fn binary(kind: Binary, a: Scalar, b: Scalar) -> Scalar {
    let (x, y, i, j) = (a.to_f64(), b.to_f64(), a.to_i64(), b.to_i64());
    let (real, shifts) = (matches!(a, Float(_)) || matches!(b, Float(_)), (0..64).contains(&j));
    arithmetic! { real, kind: Binary;
        Add x + y, i.wrapping_add(j); Sub x - y, i.wrapping_sub(j); Mul x * y, i.wrapping_mul(j);
        Div x / y, i.wrapping_div(j); Fmod x % y, i.wrapping_rem(j);
        Remainder x - y * (x / y).floor(), i.wrapping_rem(j).wrapping_add(j).wrapping_rem(j);
        Pow x.powf(y), u32::try_from(j).map_or([0, 1][(i == 1 || i == -1 && j & 1 == 0) as usize], |j| i.wrapping_pow(j));
        Maximum if x.is_nan() || x > y { x } else { y }, i.max(j);
        Minimum if x.is_nan() || x < y { x } else { y }, i.min(j);
        Atan2 x.atan2(y); Copysign x.copysign(y); Zeta zeta(x, y);
        BitAnd, i & j; BitOr, i | j; BitXor, i ^ j;
        Shl, if shifts { i << j } else { 0 }; Shr, i >> if shifts { j } else { 63 };
    }
}

/// By halving an interval, since `erf` rises everywhere.
fn erfinv(y: f64) -> f64 {
    let halve = |(a, b): (f64, f64), _| {
        let middle = (a + b) / 2.;
        if libm::erf(middle) < y { (middle, b) } else { (a, middle) }
    };
    if y.abs() < 1. { (0..64).fold((-6., 6.), halve).0 } else { y / (1. - y.abs()).sqrt() }
}

/// The slope of `ln |Γ(x)|`, as exact as F32 can tell.
fn digamma(x: f64) -> f64 {
    match x {
        0. => -1. / x,
        ..0. if x.fract() == 0. => f64::NAN,
        _ => (libm::lgamma(x + 1e-6) - libm::lgamma(x - 1e-6)) / 2e-6,
    }
}

/// Twenty terms of the sum, and Euler and Maclaurin's formula for the rest.
fn zeta(s: f64, q: f64) -> f64 {
    let (n, sum): (f64, f64) = (q + 20., (0..20).map(|k| (q + f64::from(k)).powf(-s)).sum());
    let rest = n / (s - 1.) + 0.5 + s / (12. * n) - s * (s + 1.) * (s + 2.) / (720. * n.powi(3));
    if s < 1. { f64::NAN } else { sum + rest * n.powf(-s) }
}

/// A formula and its gradient on a machine that was written a moment ago, and which operations are its own.
fn main() -> Result<()> {
    let x = Tensor::new([[0.5, -1.0], [2.0, 0.0]], &Autodiff::new(Toy))?.requires_grad()?;
    let y = x.matmul(&x)?.softmax(1)?.log()?.mean(..)?;
    println!("{y} has the gradient {}", y.backward()?.get(&x)?);
    println!("kernels of its own, of which all else is made: {}", Op::<()>::primitives().join(", "));
    Ok(())
}
