//! Every kind on every dtype and every way that operands can lie, against a formula of one element.
use crate::Cpu;
use firesteel_core::{Binary, Compare, DType, Expr, Op, Scalar, Shape, Span, Tensor, Unary};

type T = Tensor<Cpu>;

fn tensor(values: &[f64], shape: impl Into<Shape>, dtype: DType) -> T {
    Tensor::new(values, (dtype, &Cpu)).unwrap().reshape(shape.into()).unwrap()
}

/// `n` numbers that every dtype can hold but for the sign, none of them zero.
fn numbers(n: usize, dtype: DType, seed: usize) -> Vec<f64> {
    let number = |i: usize| {
        let x = ((i * 7 + seed * 3) % 11 + 1) as f64;
        let x = if dtype.is_float() { x / 4. } else { x };
        if dtype.is_signed() && (i + seed).is_multiple_of(3) { -x } else { x }
    };
    (0..n).map(|i| if dtype == DType::Bool { (i % 3 == seed % 2) as u8 as f64 } else { number(i) }).collect()
}

/// Tensors of `shape` that lie in every way that a view can.
fn layouts(shape: [usize; 2], dtype: DType, seed: usize) -> Vec<T> {
    let [rows, columns] = shape;
    let all = |n| numbers(n, dtype, seed);
    let plain = tensor(&all(rows * columns), [rows, columns], dtype);
    let transposed = Tensor::one(Op::Permute(
        &tensor(&all(rows * columns), [columns, rows], dtype),
        [1, 0].into_iter().collect(),
    ))
    .unwrap();
    let spans = [Span { start: rows - 1, step: -1, len: rows }, Span { start: 1, step: 2, len: columns }];
    let sliced = Tensor::one(Op::Slice(
        &tensor(&all(rows * (2 * columns + 1)), [rows, 2 * columns + 1], dtype),
        spans.into_iter().collect(),
    ))
    .unwrap();
    let stretched = |from: [usize; 2]| {
        Tensor::one(Op::Broadcast(&tensor(&all(from[0] * from[1]), from, dtype), shape.into())).unwrap()
    };
    let same = Tensor::make(&Cpu, Op::Full(Scalar::Float(all(1)[0]), shape.into(), dtype)).unwrap();
    vec![plain, transposed, sliced, stretched([rows, 1]), stretched([1, columns]), stretched([1, 1]), same]
}

fn values(x: &T) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

/// Compares what came out with a formula in F64, rounded to the dtype; `ulps` are of the dtype.
fn check(name: &str, y: &T, expected: impl Iterator<Item = f64>) {
    let dtype = y.dtype();
    let tolerance = match dtype {
        DType::F64 => 1e-13,
        DType::F32 => 1e-6,
        DType::F16 => 1e-3,
        DType::BF16 => 8e-3,
        _ => 0.,
    };
    let got = values(y);
    let expected: Vec<f64> = expected.collect();
    assert_eq!(got.len(), expected.len());
    for (i, (&got, &x)) in got.iter().zip(&expected).enumerate() {
        let x = Scalar::Float(x).round_to(dtype).to_f64();
        let fits = got == x || got.is_nan() && x.is_nan() || (got - x).abs() <= tolerance * x.abs().max(1.);
        assert!(fits, "{name} {dtype} {:?} at {i}: {got} is not {x}", y.shape());
    }
}

type Formula1 = fn(f64) -> f64;
type Formula2<T> = fn(f64, f64) -> T;

const SHAPES: [[usize; 2]; 3] = [[1, 1], [3, 5], [2, 300]];

#[test]
fn binary_functions_follow_their_formulas_wherever_operands_lie() {
    let remainder = |a: f64, b: f64| a - b * (a / b).floor();
    let formulas: [(Binary, Formula2<f64>); 5] = [
        (Binary::Add, |a, b| a + b),
        (Binary::Mul, |a, b| a * b),
        (Binary::Maximum, f64::max),
        (Binary::Minimum, f64::min),
        (Binary::Sub, |a, b| a - b),
    ];
    for &dtype in DType::ALL {
        for (kind, formula) in formulas.into_iter().take(if dtype == DType::Bool { 4 } else { 5 }) {
            for shape in SHAPES {
                for a in layouts(shape, dtype, 1) {
                    for b in layouts(shape, dtype, 2) {
                        let y = Tensor::one(Op::Binary(kind, &a, &b)).unwrap();
                        let wrapped = |x: f64| match dtype {
                            DType::Bool => x.min(1.),
                            dtype if dtype.is_float() => x,
                            dtype => Scalar::Int(x as i64).round_to(dtype).to_f64(),
                        };
                        let expected =
                            values(&a).into_iter().zip(values(&b)).map(|(a, b)| wrapped(formula(a, b)));
                        check(kind.name(), &y, expected);
                    }
                }
            }
        }
    }
    for dtype in [DType::F64, DType::F32, DType::I64, DType::I32, DType::I8] {
        let (a, b) = (&layouts([3, 5], dtype, 1)[2], &layouts([3, 5], dtype, 2)[4]);
        let pairs = || values(a).into_iter().zip(values(b));
        let y = Tensor::one(Op::Binary(Binary::Remainder, a, b)).unwrap();
        check("remainder", &y, pairs().map(|(a, b)| remainder(a, b)));
        let y = Tensor::one(Op::Binary(Binary::Fmod, a, b)).unwrap();
        check("fmod", &y, pairs().map(|(a, b)| a % b));
        let y = Tensor::one(Op::Binary(Binary::Div, a, b)).unwrap();
        check("div", &y, pairs().map(|(a, b)| if dtype.is_float() { a / b } else { (a / b).trunc() }));
    }
}

#[test]
fn comparisons_and_selections_follow_their_formulas_wherever_operands_lie() {
    let formulas: [(Compare, Formula2<bool>); 6] = [
        (Compare::Eq, |a, b| a == b),
        (Compare::Ne, |a, b| a != b),
        (Compare::Lt, |a, b| a < b),
        (Compare::Le, |a, b| a <= b),
        (Compare::Gt, |a, b| a > b),
        (Compare::Ge, |a, b| a >= b),
    ];
    for &dtype in DType::ALL {
        for shape in [[3, 5], [2, 300]] {
            for a in layouts(shape, dtype, 1) {
                for b in layouts(shape, dtype, 2) {
                    let pairs = || values(&a).into_iter().zip(values(&b));
                    for (kind, formula) in formulas {
                        let y = Tensor::one(Op::Compare(kind, &a, &b)).unwrap();
                        assert_eq!(y.dtype(), DType::Bool);
                        check(kind.name(), &y, pairs().map(|(a, b)| f64::from(formula(a, b))));
                    }
                    let c = Tensor::one(Op::Compare(Compare::Lt, &a, &b)).unwrap();
                    let y = Tensor::one(Op::Select(&c, &a, &b)).unwrap();
                    check("where", &y, pairs().map(|(a, b)| a.min(b)));
                }
            }
        }
    }
}

#[test]
fn functions_follow_their_formulas_wherever_operands_lie() {
    let formulas: [(Unary, Formula1); 19] = [
        (Unary::Neg, |x| -x),
        (Unary::Abs, f64::abs),
        (Unary::Sign, |x| if x == 0. { 0. } else { x.signum() }),
        (Unary::Relu, |x| x.max(0.)),
        (Unary::Floor, f64::floor),
        (Unary::Ceil, f64::ceil),
        (Unary::Round, f64::round_ties_even),
        (Unary::Trunc, f64::trunc),
        (Unary::Sqrt, f64::sqrt),
        (Unary::Rsqrt, |x| 1. / x.sqrt()),
        (Unary::Recip, |x| 1. / x),
        (Unary::Exp, f64::exp),
        (Unary::Log, f64::ln),
        (Unary::Sin, f64::sin),
        (Unary::Tan, f64::tan),
        (Unary::Tanh, f64::tanh),
        (Unary::Sigmoid, |x| 1. / (1. + (-x).exp())),
        (Unary::Asin, f64::asin),
        (Unary::Erf, libm::erf),
    ];
    for &dtype in DType::ALL {
        let count = if dtype == DType::Bool {
            0
        } else if dtype.is_float() {
            formulas.len()
        } else {
            4
        };
        for (kind, formula) in formulas.into_iter().take(count) {
            for shape in SHAPES {
                for x in layouts(shape, dtype, 1) {
                    let y = Tensor::one(Op::Unary(kind, &x)).unwrap();
                    let wrapped = |x: f64| match dtype.is_float() {
                        true => x,
                        false => Scalar::Int(x as i64).round_to(dtype).to_f64(),
                    };
                    check(kind.name(), &y, values(&x).into_iter().map(|x| wrapped(formula(x))));
                }
            }
        }
    }
    let bits = tensor(&[0., 1.], 2, DType::Bool).bitwise_not().unwrap();
    assert_eq!(values(&bits), [1., 0.]);
    assert_eq!(values(&tensor(&[0., 5.], 2, DType::U8).bitwise_not().unwrap()), [255., 250.]);
}

#[test]
fn casts_convert_as_elements_do() {
    let numbers =
        [0., 1., -1., 2.5, -3.7, 300., -129., 65504., 70000., 3e9, -3e9, f64::NAN, f64::INFINITY, 1e-7];
    for &from in DType::ALL {
        let x = tensor(&numbers, [2, 7], from);
        for &to in DType::ALL {
            let y = Tensor::one(Op::Cast(&x, to)).unwrap();
            let expected = values(&x).into_iter().map(|x| match from.is_float() {
                true => Scalar::Float(x).round_to(to).to_f64(),
                false => Scalar::Int(x as i64).round_to(to).to_f64(),
            });
            let expected: Vec<String> = expected.map(|x| x.to_string()).collect();
            let got: Vec<String> = values(&y).iter().map(f64::to_string).collect();
            assert_eq!(got, expected, "{from} to {to}");
        }
    }
}

#[test]
fn every_half_converts_as_it_should() {
    use super::convert::Stored;
    use half::{bf16, f16};
    let all: Vec<u16> = (0..=u16::MAX).collect();
    macro_rules! check {
        ($($half:ident)*) => {$({
            let halves: Vec<$half> = all.iter().map(|&bits| $half::from_bits(bits)).collect();
            let mut wide = vec![0f32; halves.len()];
            Stored::widen(&halves, &mut wide);
            // and what lies between two of them
            let mut back = halves.clone();
            for shift in [0u32, 1, 0x7ff, 0xfff, 0x1000, 0x1001, 0x1fff, 0x7fff, 0x8000, 0x8001] {
                let between: Vec<f32> = wide.iter().map(|x| f32::from_bits(x.to_bits().wrapping_add(shift))).collect();
                <$half as Stored>::narrow(&between, &mut back);
                for ((&x, &wide), &back) in halves.iter().zip(&between).zip(&back) {
                    if shift == 0 {
                        assert!(x.to_f32() == wide || x.is_nan() && wide.is_nan(), "{x:?}");
                    }
                    let expected = $half::from_f32(wide);
                    assert!(back.to_bits() == expected.to_bits() || back.is_nan() && expected.is_nan(), "{wide:e}: {back:?} is not {expected:?}");
                }
            }
        })*};
    }
    check! { bf16 f16 }
}

#[test]
fn whole_numbers_wrap_and_refuse_to_divide_by_zero() {
    let i8s = |x: &[f64]| tensor(x, x.len(), DType::I8);
    let op = |kind, a: &[f64], b: &[f64]| Tensor::one(Op::Binary(kind, &i8s(a), &i8s(b)));
    assert_eq!(values(&op(Binary::Add, &[127.], &[1.]).unwrap()), [-128.]);
    assert_eq!(values(&op(Binary::Div, &[-128., 7., -7.], &[-1., 2., 2.]).unwrap()), [-128., 3., -3.]);
    let powers = op(Binary::Pow, &[2., 3., 1., -1., -1., 2., 0.], &[3., 5., -3., -3., -2., -1., 0.]).unwrap();
    assert_eq!(values(&powers), [8., -13., 1., -1., 1., 0., 1.]);
    assert_eq!(values(&op(Binary::Shl, &[1., 1., 1.], &[3., 8., -1.]).unwrap()), [8., 0., 0.]);
    assert_eq!(values(&op(Binary::Shr, &[-8., -8., 8.], &[1., 9., -1.]).unwrap()), [-4., -1., 0.]);
    for kind in [Binary::Div, Binary::Remainder, Binary::Fmod] {
        let error = op(kind, &[1., 2.], &[1., 0.]).unwrap_err();
        assert_eq!(error.kind(), firesteel_core::ErrorKind::Value);
        assert_eq!(error.op(), kind.name());
    }
}

#[test]
fn nan_wins() {
    let (x, nan) = (tensor(&[1., f64::NAN, 2.], 3, DType::F32), tensor(&[f64::NAN, 1., 3.], 3, DType::F32));
    check("maximum", &x.maximum(&nan).unwrap(), [f64::NAN, f64::NAN, 3.].into_iter());
    check("minimum", &x.minimum(&nan).unwrap(), [f64::NAN, f64::NAN, 2.].into_iter());
    check("relu", &x.relu().unwrap(), [1., f64::NAN, 2.].into_iter());
}

#[test]
fn a_chain_is_what_its_lines_are() {
    for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16] {
        for shape in [[1, 1], [70, 33], [2, 20_000]] {
            let (xs, ys) = (layouts(shape, dtype, 1), layouts(shape, dtype, 2));
            for (x, y) in xs.iter().zip(ys.iter().rev()) {
                let [sum, chosen, mask] = Expr::eval_all([
                    x.lazy() * y + 3.0 * x.lazy().exp(),
                    x.lazy().gt(y).where_(x.lazy() / 2.0, y.lazy()),
                    x.lazy() * 1.0,
                ])
                .unwrap();
                let pairs = || values(x).into_iter().zip(values(y));
                check("chain", &sum, pairs().map(|(x, y)| x * y + 3. * x.exp()));
                check("chain", &chosen, pairs().map(|(x, y)| if x > y { x / 2. } else { y }));
                check("chain", &mask, values(x).into_iter());
            }
        }
    }
}

#[test]
fn what_no_cache_holds_is_what_its_parts_are() {
    let formulas = |x: &Tensor<Cpu>| {
        let (x, e) = (x.lazy(), x.lazy().exp());
        [
            Expr::eval_all([x.maximum(0.5), x.clone()]).unwrap(),
            Expr::eval_all([&x + &x, x.sigmoid() * &x]).unwrap(),
            Expr::eval_all([&e * 2.0, e]).unwrap(),
            [x.maximum(0.5).eval().unwrap(), (&x + 1.0).eval().unwrap()],
            [x.exp().eval().unwrap(), x.gt(0.0).where_(&x, 1.0).eval().unwrap()],
        ]
        .into_iter()
        .flatten()
    };
    for dtype in [DType::F32, DType::BF16] {
        let n = (32 << 20) / dtype.size() + 12_345;
        let x = Tensor::one(Op::Cast(&Tensor::randn([n], &Cpu).unwrap(), dtype)).unwrap();
        let whole: Vec<_> = formulas(&x).collect();
        for start in [0, 2_000_003, n - 5000] {
            let part = x.narrow(0, start, 5000).unwrap();
            for (whole, part) in whole.iter().zip(formulas(&part)) {
                assert_eq!(values(&whole.narrow(0, start, 5000).unwrap()), values(&part), "{dtype}");
            }
        }
    }
}

#[test]
fn nothing_at_all_is_no_trouble() {
    let empty = tensor(&[], [0, 3], DType::F32);
    assert_eq!((&empty + 1.0).unwrap().shape()[..], [0, 3]);
    assert_eq!((empty.lazy() + &empty).eval().unwrap().numel(), 0);
    assert_eq!(empty.exp().unwrap().numel(), 0);
    let row = Tensor::one(Op::Broadcast(&tensor(&[1.], [1, 1], DType::F32), [0, 1].into())).unwrap();
    assert_eq!((&row + &row).unwrap().numel(), 0);
}
