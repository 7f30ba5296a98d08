//! A whole backend on a few pages: a kernel for each primitive, and the decompositions of the core for the rest.
//!
//! It knows F32, whole numbers and Bool: it computes with f64 and i64, and rounds every result to what its dtype holds.
//! Run it with `cargo run --release --example toy_backend`.
use firesteel::{
    ArgReduce, Binary, Binary::*, Compare, Conv, Device, Distribution, Element, Generator, Layout, Meta,
    Metas, Op, Outputs, Reduce, Scalar::*, Stream, TensorData, Unary, prelude::*, recipe, with_dtype,
};
use std::{cmp::Ordering, future::ready, iter::zip, sync::Arc};

/// The machine; it has no state but its random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Toy;

/// Numbers in row-major order.
#[derive(Clone, Debug)]
pub struct Value {
    meta: Meta,
    layout: Layout,
    data: Arc<Numbers>,
}

type Numbers = Vec<Scalar>;

/// A match whose arms stand beside each other.
macro_rules! table {
    ($kind:ident: $family:ident; $($name:ident $f:expr;)*) => { match $kind { $($family::$name => $f),* } };
}

impl Backend for Toy {
    type Value = Value;

    fn device(&self) -> Device {
        Device { kind: "toy", index: 0 }
    }
    fn meta(v: &Value) -> &Meta {
        &v.meta
    }
    fn generator(&self) -> &Generator {
        static GENERATOR: Generator = Generator::new(0);
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
        let (add, mul) = (|a, b| binary(Add, a, b), |a, b| binary(Mul, a, b));
        let data: Numbers = match op {
            Op::Full(x, ..) => vec![x; n],
            Op::Arange { start, step, .. } => (0..n).map(|i| add(start, mul(step, i.into()))).collect(),
            Op::Random(kind, stream, ..) => (0..n).map(|i| random(kind, stream, i, dtype)).collect(),
            Op::Reshape(x, _) | Op::Cast(x, _) => x.data.to_vec(),
            Op::Permute(x, axes) => x.seen(&x.layout.permute(&axes)),
            Op::Broadcast(x, _) => x.seen(&x.layout.broadcast(shape)),
            Op::Slice(x, spans) => x.seen(&x.layout.slice(&spans)),
            Op::Windows { x, axis, size, step } => x.seen(&x.layout.windows(axis, size, step)),
            Op::Unary(kind, x) => x.data.iter().map(|&x| unary(kind, x)).collect(),
            Op::Binary(Div | Remainder | Fmod, _, b) if b.data.contains(&Int(0)) => {
                return Err(Error::value(name, "a whole number cannot be divided by zero"));
            }
            Op::Binary(kind, a, b) => (0..n).map(|i| binary(kind, a.data[i], b.data[i])).collect(),
            Op::Compare(kind, a, b) => {
                let test = |a, b| table! { kind: Compare; Eq a == b; Ne a != b; Lt a < b; Le a <= b; Gt a > b; Ge a >= b; };
                zip(&*a.data, &*b.data).map(|(a, b)| Bool(test(a, b))).collect()
            }
            Op::Select(c, a, b) => (0..n).map(|i| [b, a][c.data[i].to_i64() as usize].data[i]).collect(),

            Op::Reduce(kind, x, _) => {
                let places = whole.broadcast(&x.meta.shape);
                let y = put(vec![kind.start(dtype); n], places.offsets(), x, Some(kind.join()));
                let count = Float(x.data.len() as f64 / n as f64);
                y.into_iter().map(|y| if kind == Reduce::Mean { binary(Div, y, count) } else { y }).collect()
            }
            Op::ArgReduce(kind, x, axis) => {
                let max = kind == ArgReduce::Max;
                let key = |a, b| if max { order(b, a) } else { nan(b).cmp(&nan(a)).then(order(a, b)) };
                let best = |row: Vec<_>| (0..row.len()).min_by(|&i, &j| key(x.data[row[i]], x.data[row[j]]));
                x.rows(axis).map(|row| best(row).unwrap_or(0).into()).collect()
            }
            Op::Scan(kind, x, axis) => x.scan(axis, kind.start(), |y, i| binary(kind.join(), y, x.data[i])),
            Op::Recurrence { a, b, axis } => a.scan(axis, Int(0), |y, i| add(mul(a.data[i], y), b.data[i])),
            Op::Sort { x, axis, descending } => {
                let (mut values, mut indices) = (x.data.to_vec(), x.data.to_vec());
                for row in x.rows(axis) {
                    let mut from: Vec<(usize, Scalar)> = row.iter().map(|&i| x.data[i]).enumerate().collect();
                    from.sort_by(|(_, a), (_, b)| if descending { order(*b, *a) } else { order(*a, *b) });
                    for (to, (i, number)) in zip(row, from) {
                        (values[to], indices[to]) = (number, i.into());
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
                let last = shape.rank() - 1;
                let (k, columns, size) = (a.meta.shape[last], shape[last], shape[last - 1] * shape[last]);
                let right = |i: usize, p: usize| (i / size * k + p) * columns + i % columns;
                let term = |i: usize, p: usize| mul(a.data[i / columns * k + p], b.data[right(i, p)]);
                (0..n).map(|i| (0..k).fold(Int(0), |sum, p| add(sum, term(i, p)))).collect()
            }
            Op::Conv(c, x, w) => convolve(&c, [None, Some(x), Some(w)], shape),
            Op::ConvInputGrad { conv: c, g, w, .. } => convolve(&c, [Some(g), None, Some(w)], shape),
            Op::ConvWeightGrad { conv: c, g, x, .. } => convolve(&c, [Some(g), Some(x), None], shape),
            Op::Gather { x, index, axis } | Op::IndexSelect { x, index, axis } => {
                x.places(index, axis, shape)?.into_iter().map(|at| x.data[at]).collect()
            }
            Op::Scatter { kind, into, index, x, axis } | Op::IndexPut { kind, into, index, x, axis } => {
                put(into.data.to_vec(), into.places(index, axis, &x.meta.shape)?.into_iter(), x, kind.join())
            }
            Op::WrapIndex(index, len) => {
                let wrap = |i: i64| checked(if i < 0 { i + len as i64 } else { i }, len).map(Scalar::from);
                index.data.iter().map(|i| wrap(i.to_i64())).collect::<Result<_>>()?
            }
            Op::Require(x, r) if x.data.iter().any(|x| x.to_f64() == 0.) => {
                return Err(r.error());
            }
            Op::Require(x, _) => x.data.to_vec(),
            Op::Concat(xs, axis) => {
                let m: usize = shape[..axis].iter().product();
                let piece = |x: &Value, i| x.data[i * x.data.len() / m..(i + 1) * x.data.len() / m].to_vec();
                (0..m).flat_map(|i| xs.iter().flat_map(move |x| piece(x, i))).collect()
            }
            Op::Pad(x, padding, fill) => {
                let spans: Vec<_> = zip(padding, &x.meta.shape).map(|(pad, &len)| pad.span(len)).collect();
                put(vec![fill; n], whole.slice(&spans).offsets(), x, None)
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
    Ok(Value { meta: meta.clone(), layout: Layout::contiguous(meta.shape.clone()), data: Arc::new(data) })
}

impl Value {
    fn seen(&self, view: &Layout) -> Numbers {
        view.offsets().map(|at| self.data[at]).collect()
    }
    /// Where the elements of each row along the axis are.
    fn rows(&self, axis: usize) -> impl Iterator<Item = Vec<usize>> {
        let (len, step) = (self.meta.shape[axis], self.layout.strides[axis] as usize);
        let starts = (0..self.data.len()).filter(move |i| i / step % len == 0);
        starts.map(move |start| (0..len).map(|i| start + i * step).collect())
    }
    /// Each element made of the one before it in its row and of its own place.
    fn scan(&self, axis: usize, start: Scalar, f: impl Fn(Scalar, usize) -> Scalar) -> Numbers {
        let mut y = self.data.to_vec();
        for (k, i) in self.rows(axis).flat_map(|row| row.into_iter().enumerate()) {
            y[i] = f(if k == 0 { start } else { y[i - self.layout.strides[axis] as usize] }, i);
        }
        y
    }
    /// Where in here each element of a tensor of `shape` points; an index of rank one serves every row.
    fn places(&self, index: &Value, axis: usize, shape: &Shape) -> Result<Vec<usize>> {
        let (mut rest, mut serves) = (self.layout.clone(), Layout::uniform(shape.clone()));
        rest.shape = shape.clone();
        (rest.strides[axis], serves.strides[axis]) = (0, 1);
        let index = if index.meta.shape == *shape { &*index.data } else { &index.seen(&serves) };
        let (len, step) = (self.meta.shape[axis], self.layout.strides[axis] as usize);
        zip(rest.offsets(), index).map(|(at, i)| Ok(at + checked(i.to_i64(), len)? * step)).collect()
    }
}

fn checked(index: i64, len: usize) -> Result<usize> {
    let inside = usize::try_from(index).ok().filter(|&i| i < len);
    inside.ok_or_else(|| Error::index("index", format!("{index} is out of range for a dim of size {len}")))
}

/// Joins each of `x` to what is at its place, or replaces it.
fn put(mut y: Numbers, at: impl Iterator<Item = usize>, x: &Value, join: Option<Binary>) -> Numbers {
    zip(at, &*x.data).for_each(|(at, &x)| y[at] = join.map_or(x, |kind| binary(kind, y[at], x)));
    y
}

/// Of a convolution's result, input and weight, what is missing: sums of products of the other two.
fn convolve(c: &Conv, parts: [Option<&Value>; 3], missing: &Shape) -> Numbers {
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
    let (mut sums, role) = (vec![Int(0); missing.numel()], parts.iter().position(Option::is_none));
    for places in (0..y.numel()).flat_map(|i| (0..w.numel()).map(move |j| (i, j))).filter_map(meet) {
        let factors = zip(parts, places).filter_map(|(part, at)| Some(part?.data[at]));
        let product = factors.fold(Int(1), |a, b| binary(Mul, a, b));
        sums[places[role.unwrap_or(0)]] = binary(Add, sums[places[role.unwrap_or(0)]], product);
    }
    sums
}

fn random(kind: Distribution, stream: Stream, i: usize, dtype: DType) -> Scalar {
    let word = |i: usize| stream.block(i as u64 / 4)[i % 4];
    let (even, wide) = (|i| f64::from(recipe::uniform32(word(i))), |i| recipe::bits64(word(i), word(i + 1)));
    table! { kind: Distribution;
        Uniform Float(even(i)); Normal Float(recipe::normal(even(i & !1), even(i | 1))[i % 2]);
        Bits Int(if dtype == DType::I64 { wide(2 * i).cast_signed() } else { word(i).into() });
    }
}

fn nan(x: Scalar) -> bool {
    x.to_f64().is_nan()
}
/// As numbers are sorted: NaN is the largest.
fn order(a: Scalar, b: Scalar) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| nan(a).cmp(&nan(b)))
}

/// What each kind makes of real numbers, and what of whole ones; `infer` has refused what is missing.
macro_rules! arithmetic {
    ($real:ident, $kind:ident: $family:ident; $($name:ident $($of_real:expr)? $(, $of_whole:expr)?;)*) => {
        match $kind {
            $($family::$name if $real => Float([$($of_real,)? f64::NAN][0]),)*
            $($family::$name => Int([$($of_whole,)? 0][0]),)*
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
        Erf libm::erf(x); Erfc libm::erfc(x); Lgamma libm::lgamma(x);
        // ever smaller steps towards where `erf`, which rises everywhere, is x
        Erfinv if x.abs() < 1. { (0..60).fold(0., |y, k| y + (x - libm::erf(y)).signum() * 3. * 0.5_f64.powi(k)) }
            else { x / (1. - x.abs()).sqrt() };
        // the slope of lgamma, as exact as F32 can tell, but at the poles
        Digamma if x > 0. || x.fract() != 0. { (libm::lgamma(x + 1e-6) - libm::lgamma(x - 1e-6)) / 2e-6 }
            else if x == 0. { -1. / x } else { f64::NAN };
    }
}

fn binary(kind: Binary, a: Scalar, b: Scalar) -> Scalar {
    let (x, y, i, j) = (a.to_f64(), b.to_f64(), a.to_i64(), b.to_i64());
    let (real, shifts) = (matches!(a, Float(_)) || matches!(b, Float(_)), (0..64).contains(&j));
    arithmetic! { real, kind: Binary;
        Add x + y, i.wrapping_add(j); Sub x - y, i.wrapping_sub(j); Mul x * y, i.wrapping_mul(j);
        Div x / y, i.wrapping_div(j); Fmod x % y, i.wrapping_rem(j);
        Remainder x - y * (x / y).floor(), i.wrapping_rem(j).wrapping_add(j).wrapping_rem(j);
        Pow x.powf(y), if j < 0 && i.unsigned_abs() > 1 { 0 } else {
            (0..64).rev().fold(1_i64, |p, bit| p.wrapping_mul(p).wrapping_mul(if j >> bit & 1 == 1 { i } else { 1 }))
        };
        Maximum if x.is_nan() || x > y { x } else { y }, i.max(j);
        Minimum if x.is_nan() || x < y { x } else { y }, i.min(j);
        Atan2 x.atan2(y); Copysign x.copysign(y); Zeta zeta(x, y);
        BitAnd, i & j; BitOr, i | j; BitXor, i ^ j;
        Gcd, (0..92).fold((i.wrapping_abs(), j.wrapping_abs()), |(a, b), _| if b == 0 { (a, b) } else { (b, a % b) }).0;
        Shl, if shifts { i << j } else { 0 }; Shr, i >> if shifts { j } else { 63 };
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
