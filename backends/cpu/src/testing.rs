//! What the tests of kernels share: operands of every kind, and plain arithmetic on their indices.
use crate::{Cpu, CpuValue};
use firesteel_core::{
    Backend, DType, ErrorKind, Layout, Op, Outputs, Result, Scalar, Shape, Span, TensorData,
};

/// A row-major value of these numbers.
pub(crate) fn value(dtype: DType, shape: impl Into<Shape>, numbers: &[f64]) -> CpuValue {
    let data = TensorData::new(shape, firesteel_core::Data::F64(numbers.to_vec())).unwrap().cast(dtype);
    Cpu.upload(data).unwrap()
}

/// The numbers, row-major.
pub(crate) fn numbers(x: &CpuValue) -> Vec<f64> {
    crate::create::download(x).unwrap().to_vec()
}

/// What an operation gives, checked against what was predicted.
pub(crate) fn run(op: Op<&CpuValue>) -> Result<Outputs<CpuValue>> {
    let out = firesteel_core::infer(op.clone().map(Cpu::meta))?;
    let y = Cpu.run(op)?;
    let metas: Vec<_> = y.iter().map(Cpu::meta).collect();
    assert_eq!(metas, out.iter().collect::<Vec<_>>());
    Ok(y)
}

/// The numbers of an operation's first result.
pub(crate) fn first(op: Op<&CpuValue>) -> Vec<f64> {
    numbers(&run(op).unwrap()[0])
}

/// The kind of error that an operation gives, and its message.
pub(crate) fn error(op: Op<&CpuValue>) -> (ErrorKind, String) {
    let error = run(op).unwrap_err();
    (error.kind(), error.to_string())
}

/// Small numbers without a pattern that the dtype can hold, many of them equal.
pub(crate) fn small(dtype: DType, count: usize) -> Vec<f64> {
    let mut state = 12345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 24) / 256.0
    };
    let number = |u: f64| match dtype {
        DType::Bool => f64::from(u < 0.3),
        dtype if dtype.is_signed() => (u * 7.0).floor() - 3.0,
        _ => (u * 5.0).floor(),
    };
    (0..count).map(|_| number(next())).collect()
}

/// Operands of rank three that lie in memory in every way: row-major, permuted, sliced forwards and backwards,
/// broadcast, one number, with an axis of no or one element.
pub(crate) fn views(dtype: DType) -> Vec<CpuValue> {
    let make = |shape: [usize; 3]| value(dtype, shape, &small(dtype, shape.iter().product()));
    let whole = make([3, 4, 5]);
    let span = |start, step, len| Span { start, step, len };
    let slice = |spans: [Span; 3]| whole.view(whole.layout.slice(&spans));
    vec![
        whole.view(whole.layout.permute(&[2, 0, 1])),
        whole.view(whole.layout.permute(&[0, 2, 1])),
        slice([span(1, 1, 2), span(3, -1, 4), span(4, -2, 3)]),
        slice([span(0, 2, 2), span(0, 1, 4), span(1, 1, 4)]),
        make([4, 1, 3]).view(make([4, 1, 3]).layout.broadcast(&Shape::from([4, 6, 3]))),
        make([1, 1, 3])
            .view(Layout { strides: [0, 0, 1].into_iter().collect(), ..make([5, 2, 3]).layout.clone() }),
        CpuValue::same(firesteel_core::Meta::new([2, 3, 4], dtype), Scalar::Int(1)),
        make([3, 0, 2]),
        make([1, 70, 1]),
        make([2, 3, 67]),
        make([67, 3, 2]),
        whole,
    ]
}

/// Matrices that lie in memory in every way: row-major, turned, and with gaps.
pub(crate) fn matrices(dtype: DType, [m, n]: [usize; 2], x: &[f64]) -> [CpuValue; 3] {
    let rows = value(dtype, [m, n], x);
    let turned: Vec<f64> = (0..m * n).map(|at| x[at % m * n + at / m]).collect();
    let turned = value(dtype, [n, m], &turned);
    let turned = turned.view(turned.layout.permute(&[1, 0]));
    let spread: Vec<f64> = (0..4 * m * n).map(|at| x[at / 4 / n * n + at % (2 * n) / 2]).collect();
    let spread = value(dtype, [2 * m, 2 * n], &spread);
    let span = |len| Span { start: 0, step: 2, len };
    let spread = spread.view(spread.layout.slice(&[span(m), span(n)]));
    [rows, turned, spread]
}

/// Every index of a shape, in row-major order.
pub(crate) fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    shape.iter().fold(vec![vec![]], |all, &size| {
        all.iter().flat_map(|index| (0..size).map(|i| [&index[..], &[i]].concat())).collect()
    })
}

/// Where an index lies row-major.
pub(crate) fn at(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |at, (size, i)| at * size + i)
}

/// The index with another place on one axis.
pub(crate) fn moved(index: &[usize], axis: usize, place: usize) -> Vec<usize> {
    let mut index = index.to_vec();
    index[axis] = place;
    index
}
