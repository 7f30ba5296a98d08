//! Every rule against central differences, to the second order.
#![allow(clippy::unwrap_used, clippy::panic)] // in the helpers of tests too
use firesteel::*;
use smallvec::smallvec;
use std::sync::Arc;

/// The real results of an operation, or one of them, as one tensor.
fn call<B: Backend>(op: &Op<usize>, xs: &[Tensor<B>], only: Option<usize>) -> Result<Tensor<B>> {
    let results = Tensor::apply(op.clone().map(|i| &xs[i]))?;
    let wanted = |(i, y): &(usize, &Tensor<B>)| y.dtype().is_float() && only.is_none_or(|o| o == *i);
    let flat = results.iter().enumerate().filter(wanted).map(|(_, y)| y.reshape([y.numel()]));
    let flat: Vec<_> = flat.collect::<Result<_>>()?;
    Tensor::one(Op::Concat(flat.iter().collect(), 0))
}

#[track_caller]
fn holds(op: Op<usize>, xs: &[Tensor<Cpu>]) {
    let real = call(&op, xs, None).map(|_| op.outputs());
    let outputs = real.unwrap_or_else(|e| panic!("{op:?}: {e:?}"));
    let alone = (0..outputs).filter(|&i| outputs > 1 && call(&op, xs, Some(i)).is_ok()).map(Some);
    for only in [None].into_iter().chain(alone) {
        let first = gradcheck(|xs| call(&op, xs, only), xs, GradCheck::default());
        first.unwrap_or_else(|e| panic!("{op:?}, result {only:?}: {e:?}"));
        let second = gradgradcheck(|xs| call(&op, xs, only), xs, GradCheck::default());
        second.unwrap_or_else(|e| panic!("{op:?}, result {only:?}: {e:?}"));
    }
}

/// Numbers from a range, without a pattern, and none twice.
fn numbers(shape: impl Into<Shape>, low: f64, high: f64) -> Tensor<Cpu> {
    let shape = shape.into();
    let part = |i: usize| (i as f64 * 0.618_033_988_749_894_9 + 0.31).fract();
    let data: Vec<f64> = (0..shape.numel()).map(|i| low + (high - low) * part(i)).collect();
    Tensor::new(data, (DType::F64, &Cpu)).unwrap().reshape(&shape).unwrap()
}

/// More numbers, from elsewhere in the same sequence.
fn others(shape: impl Into<Shape>, low: f64, high: f64) -> Tensor<Cpu> {
    let shape = shape.into();
    let all = numbers([shape.numel() + 17], low, high);
    all.narrow(0, 17, shape.numel()).unwrap().reshape(&shape).unwrap()
}

fn exactly(data: impl ToData) -> Tensor<Cpu> {
    Tensor::new(data, (DType::F64, &Cpu)).unwrap()
}

fn index(data: impl ToData) -> Tensor<Cpu> {
    Tensor::new(data, (DType::I64, &Cpu)).unwrap()
}

fn mask(data: impl ToData) -> Tensor<Cpu> {
    Tensor::new(data, &Cpu).unwrap()
}

#[test]
fn views() {
    let x = || numbers([2, 3, 4], -1., 1.);
    holds(Op::Reshape(0, Shape::from([4, 6])), &[x()]);
    holds(Op::Permute(0, smallvec![2, 0, 1]), &[x()]);
    holds(Op::Broadcast(0, Shape::from([2, 3, 2])), &[numbers([2, 1, 2], -1., 1.)]);
    for (start, step, len) in [(1, 1, 2), (0, 2, 2), (3, -1, 4), (3, -2, 2), (2, 0, 3), (1, 1, 0)] {
        let spans = smallvec![Span::all(2), Span { start: 1, step: 1, len: 2 }, Span { start, step, len }];
        if len > 0 {
            holds(Op::Slice(0, spans), &[x()]);
        }
    }
    holds(Op::Windows { x: 0, axis: 1, size: 3, step: 2 }, &[numbers([2, 7], -1., 1.)]);
    holds(Op::Fold { x: 0, axis: 1, len: 7, step: 2 }, &[numbers([2, 3, 3], -1., 1.)]);
}

#[test]
fn functions_of_one_element() {
    use Unary::*;
    for &kind in Unary::ALL {
        let (low, high) = match kind {
            Not => continue,
            Sqrt | Rsqrt | Log | Log2 | Log10 | Lgamma | Digamma => (0.4, 3.),
            Acosh => (1.2, 3.),
            Asin | Acos | Atanh | Erfinv => (-0.8, 0.8),
            Log1p => (-0.6, 2.),
            Tan => (-1.2, 1.2),
            Neg | Abs | Sign | Relu | Floor | Ceil | Round | Trunc | Recip | Exp | Exp2 | Expm1 | Sin
            | Cos | Atan | Sinh | Cosh | Tanh | Asinh | Sigmoid | Erf | Erfc => (-1.9, 1.9),
        };
        holds(Op::Unary(kind, 0), &[numbers([5], low, high)]);
    }
}

#[test]
fn functions_of_two_elements() {
    use Binary::*;
    for &kind in Binary::ALL {
        let (low, high) = match kind {
            BitAnd | BitOr | BitXor | Gcd | Shl | Shr | Zeta => continue,
            Pow => (0.4, 2.),
            Add | Sub | Mul | Div | Remainder | Fmod | Maximum | Minimum | Atan2 | Copysign => (-2., 2.),
        };
        holds(Op::Binary(kind, 0, 1), &[numbers([6], low, high), others([6], low, high)]);
    }
    let c = mask([true, false, true]);
    let s: Op<usize> = Op::Full(Scalar::Int(3), Shape::from([3]), DType::F64);
    let code = vec![s, Op::Binary(Binary::Zeta, 1, 0)];
    let zeta = Program { inputs: 1, code, results: vec![2] };
    holds(Op::Fused(Fused::Chain(Arc::new(zeta)), smallvec![0]), &[numbers([3], 0.5, 2.)]);
    holds(Op::Select(0, 1, 2), &[c, numbers([3], -1., 1.), others([3], -1., 1.)]);
}

#[test]
fn reductions() {
    let x = || numbers([2, 3, 2], 0.5, 1.5);
    for &kind in Reduce::ALL {
        holds(Op::Reduce(kind, 0, smallvec![0, 2]), &[x()]);
        holds(Op::Reduce(kind, 0, smallvec![1]), &[x()]);
    }
    let zeros = exactly([[2., 0., 3.], [0., 0., 5.], [1., 2., 3.]]);
    holds(Op::Reduce(Reduce::Prod, 0, smallvec![1]), std::slice::from_ref(&zeros));
    holds(Op::Reduce(Reduce::Prod, 0, smallvec![0, 1]), &[zeros]);
}

#[test]
fn scans() {
    for &kind in Scan::ALL {
        holds(Op::Scan(kind, 0, 1), &[numbers([2, 4, 2], -1., 1.)]);
    }
    holds(Op::Scan(Scan::Prod, 0, 0), &[exactly([2., 0., 3., 0., 5.])]);
    let (a, b) = (numbers([3, 4], -1., 1.), others([3, 4], -1., 1.));
    holds(Op::Recurrence { a: 0, b: 1, axis: 1 }, &[a, b]);
}

#[test]
fn orders() {
    for descending in [false, true] {
        holds(Op::Sort { x: 0, axis: 1, descending }, &[numbers([2, 5], -1., 1.)]);
        let top = Fused::TopK { k: 3, axis: 1, largest: descending };
        holds(Op::Fused(top, smallvec![0]), &[numbers([2, 5], -1., 1.)]);
    }
}

#[test]
fn products() {
    holds(Op::MatMul(0, 1), &[numbers([2, 2, 3], -1., 1.), others([2, 3, 2], -1., 1.)]);
    let (x, w, b) = (numbers([2, 2, 3], -1., 1.), others([4, 3], -1., 1.), numbers([4], -1., 1.));
    holds(Op::Fused(Fused::Linear, smallvec![0, 1]), &[x.clone(), w.clone()]);
    holds(Op::Fused(Fused::Linear, smallvec![0, 1, 2]), &[x.clone(), w.clone(), b.clone()]);
    let code = vec![Op::Unary(Unary::Tanh, 0), Op::Binary(Binary::Mul, 1, 2)];
    let then = Fused::LinearThen(Arc::new(Program { inputs: 2, code, results: vec![3] }));
    holds(Op::Fused(then, smallvec![0, 1, 2, 3]), &[x, w, b, others([2, 2, 4], -1., 1.)]);
}

#[test]
fn convolutions() {
    let line = Conv { stride: smallvec![2], padding: smallvec![1], dilation: smallvec![1], groups: 2 };
    // (1, 4, 6) by (2, 2, 3) gives (1, 2, 3)
    let (x, w) = (numbers([1, 4, 6], -1., 1.), others([2, 2, 3], -1., 1.));
    let g = numbers([1, 2, 3], -1., 1.);
    holds(Op::Conv(line.clone().into(), 0, 1), &[x.clone(), w.clone()]);
    let size = smallvec![6];
    holds(Op::ConvInputGrad { conv: line.clone().into(), g: 0, w: 1, size }, &[g.clone(), w]);
    holds(Op::ConvWeightGrad { conv: line.into(), g: 0, x: 1, size: smallvec![3] }, &[g, x]);
    let plane =
        Conv { stride: smallvec![1, 2], padding: smallvec![0, 1], dilation: smallvec![2, 1], groups: 1 };
    holds(Op::Conv(plane.into(), 0, 1), &[numbers([1, 2, 4, 3], -1., 1.), others([1, 2, 2, 2], -1., 1.)]);
}

#[test]
fn indices() {
    let x = || numbers([3, 2], 0.5, 1.5);
    let (rows, at) = (|| index([2, 0, 2]), || index([[0, 2], [2, 2]]));
    holds(Op::Gather { x: 0, index: 1, axis: 0 }, &[x(), at()]);
    holds(Op::IndexSelect { x: 0, index: 1, axis: 0 }, &[x(), rows()]);
    for &kind in Scatter::ALL {
        // what is written twice to one place has no derivative that differences see
        let (at, rows) = match kind {
            Scatter::Set => (index([[0, 2], [2, 1]]), index([2, 0, 1])),
            Scatter::Add | Scatter::Mul | Scatter::Max | Scatter::Min => (at(), rows()),
        };
        let scatter = Op::Scatter { kind, into: 0, index: 1, x: 2, axis: 0 };
        holds(scatter, &[x(), at, others([2, 2], 0.5, 1.5)]);
        let put = Op::IndexPut { kind, into: 0, index: 1, x: 2, axis: 0 };
        holds(put, &[x(), rows, others([3, 2], 0.5, 1.5)]);
    }
    let product = Op::Scatter { kind: Scatter::Mul, into: 0, index: 1, x: 2, axis: 0 };
    let (into, at) = (exactly([2., 0., 3.]), index([0, 0, 1, 2]));
    let first = gradcheck(
        |xs| call(&product, xs, None),
        &[into, at, exactly([0., 5., 7., 0.])],
        GradCheck::default(),
    );
    first.unwrap();
}

#[test]
fn joins() {
    let (x, y) = (|| numbers([2, 3], -1., 1.), || others([2, 2], -1., 1.));
    holds(Op::Concat(smallvec![0, 1, 0], 1), &[x(), y()]);
    let padding =
        smallvec![PadAxis { low: 1, high: 0, interior: 2 }, PadAxis { low: 0, high: 2, interior: 0 },];
    holds(Op::Pad(0, padding, Scalar::Float(0.5)), &[x()]);
    let spans = smallvec![Span::all(2), Span { start: 2, step: -2, len: 2 }];
    holds(Op::Write { into: 0, x: 1, spans }, &[x(), y()]);
}

#[test]
fn softmaxes() {
    let x = || numbers([2, 3, 2], -1., 1.);
    holds(Op::Fused(Fused::Softmax(1), smallvec![0]), &[x()]);
    holds(Op::Fused(Fused::LogSoftmax(1), smallvec![0]), &[x()]);
}

#[test]
fn norms() {
    let (x, w, b) =
        (|| numbers([2, 3, 2], -1., 1.), || numbers([3, 2], 0.5, 1.5), || others([3, 2], -1., 1.));
    let layer = || Fused::LayerNorm { dims: 2, eps: 0.1 };
    holds(Op::Fused(layer(), smallvec![0]), &[x()]);
    holds(Op::Fused(layer(), smallvec![0, 1]), &[x(), w()]);
    holds(Op::Fused(layer(), smallvec![0, 1, 2]), &[x(), w(), b()]);
    let rms = || Fused::RmsNorm { dims: 2, eps: 0.1 };
    holds(Op::Fused(rms(), smallvec![0]), &[x()]);
    holds(Op::Fused(rms(), smallvec![0, 1]), &[x(), w()]);
    let grad = |axes, centred, affine| Fused::NormGrad(NormAxes { axes, centred, affine }.into());
    let (rows, tail) = (|low| numbers([2, 1, 1], low, 1.), numbers([1, 3, 2], 0.5, 1.5));
    let xs = [x(), rows(-0.5), rows(0.5), others([2, 3, 2], -1., 1.), tail];
    holds(Op::Fused(grad(smallvec![1, 2], true, Some(smallvec![1, 2])), smallvec![0, 1, 2, 3, 4]), &xs);
    holds(Op::Fused(grad(smallvec![1, 2], false, None), smallvec![0, 2, 3]), &xs);
    let channels = |low| numbers([1, 3, 1], low, 1.);
    let xs = [x(), channels(-0.5), channels(0.5), others([2, 3, 2], -1., 1.), channels(0.7)];
    holds(Op::Fused(grad(smallvec![0, 2], true, Some(smallvec![1])), smallvec![0, 1, 2, 3, 4]), &xs);
    let xs = [
        numbers([2, 2, 2, 3], -1., 1.),
        numbers([2, 2, 1, 1], -0.5, 1.),
        numbers([2, 2, 1, 1], 0.5, 1.),
        others([2, 2, 2, 3], -1., 1.),
        numbers([1, 2, 2, 1], 0.7, 1.),
    ];
    holds(Op::Fused(grad(smallvec![2, 3], true, Some(smallvec![1, 2])), smallvec![0, 1, 2, 3, 4]), &xs);
    let (rows, w, b) = (numbers([2, 4, 3], -1., 1.), numbers([4], 0.5, 1.5), others([4], -1., 1.));
    for groups in [1, 2, 4] {
        let group = || Fused::GroupNorm { groups, eps: 0.1 };
        holds(Op::Fused(group(), smallvec![0]), std::slice::from_ref(&rows));
        holds(Op::Fused(group(), smallvec![0, 1]), &[rows.clone(), w.clone()]);
        holds(Op::Fused(group(), smallvec![0, 1, 2]), &[rows.clone(), w.clone(), b.clone()]);
    }
    holds(
        Op::Fused(Fused::GroupNorm { groups: 2, eps: 0.1 }, smallvec![0, 1, 2]),
        &[numbers([2, 4], -1., 1.), w, b],
    );
    let batch = Fused::BatchNorm { eps: 0.1 };
    holds(Op::Fused(batch, smallvec![0, 1, 2]), &[x(), numbers([3], 0.5, 1.5), others([3], -1., 1.)]);
}

#[test]
fn fourier_transforms() {
    for way in [FftWay::Forward, FftWay::Inverse] {
        for n in [1, 2, 4, 5] {
            let half = numbers([2, n / 2 + 1, 2], -1., 1.);
            holds(Op::Fused(Fused::Fft { way, scale: 0.7 }, smallvec![0]), &[numbers([2, n, 2], -1., 1.)]);
            holds(Op::Fused(Fused::Rfft { way, scale: 0.7 }, smallvec![0]), &[numbers([2, n], -1., 1.)]);
            holds(Op::Fused(Fused::Irfft { way, n, scale: 0.7 }, smallvec![0]), &[half]);
        }
    }
}

#[test]
fn attention() {
    let (q, k, v) = (numbers([1, 2, 2], -1., 1.), others([1, 3, 2], -1., 1.), numbers([1, 3, 2], -1., 1.));
    let fused = |causal| Fused::Attention { scale: 0.7, causal };
    for causal in [false, true] {
        let xs = [q.clone(), k.clone(), v.clone()];
        holds(Op::Fused(fused(causal), smallvec![0, 1, 2]), &xs);
    }
    let float = others([1, 2, 3], -1., 1.);
    holds(Op::Fused(fused(false), smallvec![0, 1, 2, 3]), &[q.clone(), k.clone(), v.clone(), float]);
    // a row that keeps nothing is zero, and so is its gradient
    let keep = mask([[[true, false, true], [false, false, false]]]);
    let op: Op<usize> = Op::Fused(fused(false), smallvec![0, 1, 2, 3]);
    let xs = [q, k, v, keep];
    gradcheck(|xs| call(&op, xs, Some(0)), &xs, GradCheck::default()).unwrap();
    gradgradcheck(|xs| call(&op, xs, Some(0)), &xs, GradCheck::default()).unwrap();
}

#[test]
fn recurrent_nets() {
    let (x, w, u) = (numbers([2, 2, 3], -1., 1.), others([8, 3], -1., 1.), others([8, 2], -0.9, 1.));
    let (h, c, b) = (numbers([2, 2], -0.9, 1.), others([2, 2], -1., 0.9), numbers([8], -0.5, 0.5));
    let xs = [x, w, u.clone(), h, c.clone(), b];
    holds(Op::Fused(Fused::Lstm { gates: true }, smallvec![0, 1, 2, 3, 4]), &xs[..5]);
    holds(Op::Fused(Fused::Lstm { gates: false }, smallvec![0, 1, 2, 3, 4, 5]), &xs);
    let states = |low| numbers([2, 2, 2], low, 1.);
    let gates = numbers([2, 2, 8], 0.1, 0.9);
    let xs = [u, c, states(-0.8), gates.clone(), states(-0.7), states(-0.6), gates];
    holds(Op::Fused(Fused::LstmGrad, smallvec![0, 1, 2, 3, 4, 5, 6]), &xs);

    let (x, w, u) = (numbers([2, 2, 3], -1., 1.), others([6, 3], -1., 1.), others([6, 2], -0.9, 1.));
    let (h, b, d) = (numbers([2, 2], -0.9, 1.), numbers([6], -0.5, 0.5), others([6], -0.5, 0.5));
    let xs = [x, w, u.clone(), h.clone(), b, d];
    holds(Op::Fused(Fused::Gru { gates: true }, smallvec![0, 1, 2, 3]), &xs[..4]);
    holds(Op::Fused(Fused::Gru { gates: false }, smallvec![0, 1, 2, 3, 4, 5]), &xs);
    let gates = numbers([2, 2, 8], 0.1, 0.9);
    let xs = [u, h, states(-0.8), gates.clone(), states(-0.7), gates];
    holds(Op::Fused(Fused::GruGrad, smallvec![0, 1, 2, 3, 4, 5]), &xs);
}

#[test]
fn losses() {
    let target = index([[1, 0], [2, -100]]);
    let loss = Fused::CrossEntropy { ignore_index: -100 };
    holds(Op::Fused(loss, smallvec![0, 1]), &[numbers([2, 3, 2], -1., 1.), target]);
}

#[test]
fn pools() {
    let pool = |padding: usize, output: usize| Pool {
        kernel: smallvec![3, 2],
        stride: smallvec![2, 2],
        padding: smallvec![padding, 0],
        dilation: smallvec![1, 1],
        output: smallvec![output, 2],
    };
    // the last window hangs over the end
    for pool in [pool(0, 2), pool(1, 3), pool(1, 2)] {
        let x = || numbers([2, 5, 4], -1., 1.);
        holds(Op::Fused(Fused::MaxPool(pool.clone().into()), smallvec![0]), &[x()]);
        for divisor in [Divisor::Padded, Divisor::Inside, Divisor::Fixed(5)] {
            holds(Op::Fused(Fused::AvgPool(pool.clone().into(), divisor), smallvec![0]), &[x()]);
        }
    }
}

/// `(x σ(1.7 x) + relu(w), max(x, w))`, as one chain with a Bool in the middle.
fn chain() -> Op<usize> {
    let code = vec![
        Op::Full(Scalar::Float(1.7), Shape::from([4]), DType::F64), // 2
        Op::Binary(Binary::Mul, 0, 2),                              // 3
        Op::Unary(Unary::Sigmoid, 3),                               // 4
        Op::Binary(Binary::Mul, 0, 4),                              // 5
        Op::Unary(Unary::Relu, 1),                                  // 6
        Op::Binary(Binary::Add, 5, 6),                              // 7
        Op::Compare(Compare::Gt, 0, 1),                             // 8
        Op::Select(8, 0, 1),                                        // 9
    ];
    Op::Fused(Fused::Chain(Arc::new(Program { inputs: 2, code, results: vec![7, 9] })), smallvec![0, 1])
}

#[test]
fn chains() {
    holds(chain(), &[numbers([4], -1., 1.), others([4], -1., 1.)]);
}
