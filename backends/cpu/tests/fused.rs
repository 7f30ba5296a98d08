//! Every fused kernel against its decomposition.
mod common;

use common::{FLOATS, Result, check, normal};
use firesteel_core::{
    Binary, Compare, DType, Distribution, Divisor, Fused, Op, Pool, Program, Shape, Stream, Tensor, Unary,
};
use firesteel_cpu::Cpu;
use std::sync::Arc;

#[test]
fn linear() -> Result {
    for dtype in FLOATS {
        for (lead, k, n) in
            [(vec![], 3, 4), (vec![5], 7, 2), (vec![2, 3], 64, 33), (vec![0], 3, 2), (vec![4], 0, 3)]
        {
            let x = normal(&[&lead[..], &[k]].concat(), dtype, 1)?;
            let (w, b) = (normal(&[n, k], dtype, 2)?, normal(&[n], dtype, 3)?);
            check(&Fused::Linear, &[x.clone(), w.clone()])?;
            check(&Fused::Linear, &[x, w, b])?;
        }
    }
    Ok(())
}

/// Formulas of a layer's result, number 0, and what stands beside it, number 1 where there is something.
fn formulas() -> Vec<Program> {
    let relu = vec![Op::Unary(Unary::Relu, 0)];
    // reads what it replaces to the end
    let silu = vec![Op::Unary(Unary::Sigmoid, 0), Op::Binary(Binary::Mul, 1, 0)];
    let sum = vec![Op::Unary(Unary::Tanh, 0), Op::Binary(Binary::Add, 1, 2)];
    let choice = vec![
        Op::Compare(Compare::Lt, 0, 1),
        Op::Select(2, 0, 1),
        Op::Unary(Unary::Exp, 0),
        Op::Binary(Binary::Maximum, 3, 4),
    ];
    let program =
        |inputs, code: Vec<Op<usize>>| Program { inputs, results: vec![inputs + code.len() - 1], code };
    vec![
        program(1, relu),
        program(1, silu),
        program(2, sum),
        program(2, choice),
        Program { inputs: 1, code: vec![], results: vec![0] },
    ]
}

#[test]
fn linear_then_a_formula() -> Result {
    // small results; and large ones of an inner dimension of more than one block, of few rows, and of one column
    let small = [[1, 5, 7], [7, 5, 1], [3, 300, 70], [0, 3, 2], [4, 0, 3]];
    let large = [[1100, 40, 1000], [801, 600, 1403], [128, 300, 8200], [1 << 20, 2, 1]];
    for (dtype, sizes) in
        [(DType::F32, &large[..]), (DType::F32, &small), (DType::F64, &small), (DType::BF16, &small)]
    {
        for &[m, k, n] in sizes {
            let x = (normal(&[m, k], dtype, 1)? * 0.1)?;
            let (w, b) = (normal(&[n, k], dtype, 2)?, normal(&[n], dtype, 3)?);
            let beside = normal(&[m, n], dtype, 4)?;
            let row = Tensor::one(Op::Broadcast(&normal(&[1, n], dtype, 5)?, Shape::from([m, n])))?;
            let one = Tensor::one(Op::Broadcast(&normal(&[1, 1], dtype, 6)?, Shape::from([m, n])))?;
            for program in formulas() {
                let then = Fused::LinearThen(Arc::new(program.clone()));
                let others = if m * n < 1 << 20 { &[&beside, &row, &one][..] } else { &[&beside] };
                for &beside in others {
                    let beside = &[beside.clone()][..program.inputs - 1];
                    check(&then, &[&[x.clone(), w.clone()], beside].concat())?;
                    check(&then, &[&[x.clone(), w.clone(), b.clone()], beside].concat())?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_formula_that_does_not_follow_a_layer_is_an_error() -> Result {
    let (x, w) = (normal(&[2, 3], DType::F32, 1)?, normal(&[4, 3], DType::F32, 2)?);
    let wide = normal(&[5, 2, 4], DType::F32, 3)?;
    let (narrow, exact) = (normal(&[3], DType::F32, 4)?, normal(&[2, 4], DType::F64, 5)?);
    for other in [&wide, &narrow, &exact] {
        assert!(x.linear_then(&w, None, |y| y + other).is_err());
    }
    assert!(x.linear_then(&w, Some(&x), |y| y).is_err());
    for inputs in [0, 2, 9] {
        let program = Program { inputs, code: vec![], results: vec![0] };
        let op = Op::Fused(Fused::LinearThen(Arc::new(program)), [&x, &w].into_iter().collect());
        assert!(Tensor::one(op).is_err(), "{inputs}");
    }
    Ok(())
}

#[test]
fn softmax() -> Result {
    for dtype in FLOATS {
        for shape in [vec![1], vec![7], vec![3, 100], vec![4, 5, 33], vec![2, 0, 3], vec![300, 65]] {
            let x = (normal(&shape, dtype, 1)? * 4.0)?;
            for axis in 0..shape.len() {
                check(&Fused::Softmax(axis), std::slice::from_ref(&x))?;
                check(&Fused::LogSoftmax(axis), std::slice::from_ref(&x))?;
            }
        }
    }
    Ok(())
}

#[test]
fn softmax_of_what_is_not_finite() -> Result {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let rows = [[-inf, -inf, -inf], [1.0, -inf, 2.0], [1.0, inf, 2.0], [nan, 1.0, 2.0], [nan, nan, nan]];
    let x = Tensor::new(rows, &Cpu)?;
    check(&Fused::Softmax(1), std::slice::from_ref(&x))?;
    check(&Fused::LogSoftmax(1), &[x])
}

#[test]
fn attention() -> Result {
    let sizes = [
        [1, 1, 1, 1],
        [3, 5, 4, 2],
        [70, 70, 16, 16],
        [65, 300, 8, 24],
        [9, 4, 3, 5],
        [4, 0, 3, 2],
        [0, 3, 2, 2],
    ];
    for dtype in FLOATS {
        for [n, m, d, e] in sizes {
            for lead in [vec![], vec![2, 3]] {
                let of = |tail: [usize; 2], seed| normal(&[&lead[..], &tail].concat(), dtype, seed);
                let (q, k, v) = (of([n, d], 1)?, of([m, d], 2)?, of([m, e], 3)?);
                let bias = of([n, m], 4)?;
                let keep = bias.gt(0.5)?;
                let nothing = bias.gt(100.0)?;
                for causal in [false, true] {
                    let fused = Fused::Attention { scale: 1.0 / (d as f64).sqrt(), causal };
                    check(&fused, &[q.clone(), k.clone(), v.clone()])?;
                    for mask in [&bias, &keep, &nothing] {
                        check(&fused, &[q.clone(), k.clone(), v.clone(), mask.clone()])?;
                    }
                }
            }
        }
    }
    Ok(())
}

#[test]
fn attention_to_a_broadcast_mask() -> Result {
    let (q, mask) = (normal(&[2, 3, 10, 4], DType::F32, 1)?, normal(&[1, 1, 1, 10], DType::F32, 2)?);
    let mask = Tensor::one(Op::Broadcast(&mask.gt(0.0)?, Shape::from([2, 3, 10, 10])))?;
    check(&Fused::Attention { scale: 0.5, causal: false }, &[q.clone(), q.clone(), q, mask])
}

#[test]
fn cross_entropy() -> Result {
    for dtype in FLOATS {
        for shape in [
            vec![4, 3],
            vec![1, 1],
            vec![300, 100],
            vec![2, 5, 7],
            vec![2, 3, 4, 5],
            vec![0, 3],
            vec![2, 3, 0],
        ] {
            let x = (normal(&shape, dtype, 1)? * 3.0)?;
            let mut rows = shape.clone();
            let classes = rows.remove(1) as f64;
            let places = Op::Random(
                Distribution::Uniform,
                Stream { seed: 2, offset: 0 },
                Shape::from(&rows[..]),
                DType::F32,
            );
            let target = (Tensor::make(&Cpu, places)? * classes)?;
            for integer in [DType::I64, DType::U8] {
                let target = Tensor::one(Op::Cast(&target, integer))?;
                for ignore_index in [-100, 1] {
                    check(&Fused::CrossEntropy { ignore_index }, &[x.clone(), target.clone()])?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn cross_entropy_refuses_a_target_that_is_no_class() -> Result {
    let (x, target) = (normal(&[2, 3], DType::F32, 1)?, Tensor::new([0i64, 3], &Cpu)?);
    let error = Tensor::apply(Op::Fused(
        Fused::CrossEntropy { ignore_index: -100 },
        [&x, &target].into_iter().collect(),
    ));
    let error = error.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(error.contains("target 3") && error.contains("0 to 2"), "{error}");
    Ok(())
}

/// `(shape, pool)` of many kinds; sizes that `ceil_mode` gives too.
fn pools() -> Vec<(Vec<usize>, Pool)> {
    let mut pools = vec![];
    let of = |x: &[usize], kernel: &[usize], stride: &[usize], padding: &[usize], dilation: &[usize]| {
        [false, true].map(|ceil| {
            let lead = x.len() - kernel.len();
            let output = (0..kernel.len()).map(|a| {
                let room = x[lead + a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1;
                let n = if ceil { room.div_ceil(stride[a]) } else { room / stride[a] } + 1;
                // the last window has to start inside
                if (n - 1) * stride[a] >= x[lead + a] + padding[a] { n - 1 } else { n }
            });
            let pool = Pool {
                kernel: kernel.into(),
                stride: stride.into(),
                padding: padding.into(),
                dilation: dilation.into(),
                output: output.collect(),
            };
            (x.to_vec(), pool)
        })
    };
    pools.extend(of(&[2, 9], &[3], &[2], &[1], &[1]));
    pools.extend(of(&[2, 3, 10], &[2], &[2], &[0], &[2]));
    pools.extend(of(&[2, 3, 12, 11], &[3, 3], &[2, 2], &[1, 1], &[1, 1]));
    pools.extend(of(&[1, 2, 8, 9], &[3, 2], &[1, 3], &[0, 1], &[2, 1]));
    pools.extend(of(&[1, 100, 90], &[2, 2], &[1, 1], &[1, 0], &[1, 1]));
    pools.extend(of(&[2, 6, 7, 5], &[2, 3, 2], &[2, 1, 2], &[1, 1, 0], &[1, 1, 1]));
    pools.extend(of(&[0, 8], &[2], &[2], &[0], &[1]));
    pools
}

#[test]
fn max_pool() -> Result {
    for (shape, pool) in pools() {
        for dtype in FLOATS.into_iter().chain([DType::I64, DType::I32, DType::I8, DType::U8]) {
            // small numbers, so that some are equal
            let x = Tensor::one(Op::Cast(&(normal(&shape, DType::F32, 1)? * 2.0)?, DType::I8))?;
            check(&Fused::MaxPool(pool.clone().into()), &[Tensor::one(Op::Cast(&x, dtype))?])?;
        }
    }
    Ok(())
}

#[test]
fn max_pool_of_what_is_not_finite() -> Result {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let rows = [
        [-inf, -inf, 1.0, nan, 2.0, nan],
        [nan, nan, -inf, -inf, -inf, -inf],
        [inf, 1.0, inf, 2.0, nan, inf],
    ];
    let pool = |kernel, stride, padding, output| Pool {
        kernel: [kernel].as_slice().into(),
        stride: [stride].as_slice().into(),
        padding: [padding].as_slice().into(),
        dilation: [1].as_slice().into(),
        output: [output].as_slice().into(),
    };
    check(&Fused::MaxPool(pool(2, 1, 1, 7).into()), &[Tensor::new(rows, &Cpu)?])?;
    check(&Fused::MaxPool(pool(3, 3, 0, 2).into()), &[Tensor::new(rows, &Cpu)?])
}

#[test]
fn avg_pool() -> Result {
    for (shape, pool) in pools() {
        for dtype in FLOATS {
            let x = normal(&shape, dtype, 1)?;
            for divisor in [Divisor::Padded, Divisor::Inside, Divisor::Fixed(3)] {
                check(&Fused::AvgPool(pool.clone().into(), divisor), std::slice::from_ref(&x))?;
            }
        }
    }
    Ok(())
}

/// Steps, rows, inputs and hidden features of recurrent nets: rows that do not fill a tile, and nothing at all.
const RECURRENT: [[usize; 4]; 6] =
    [[1, 1, 1, 1], [3, 2, 4, 5], [4, 9, 7, 33], [2, 0, 2, 3], [2, 3, 2, 0], [2, 3, 0, 2]];

#[test]
fn lstm() -> Result {
    for dtype in FLOATS {
        for [steps, rows, inputs, hidden] in RECURRENT {
            let of = |shape: &[usize], seed| normal(shape, dtype, seed);
            let (w, u) = (of(&[4 * hidden, inputs], 1)?, of(&[4 * hidden, hidden], 2)?);
            let state = |seed| of(&[rows, hidden], seed);
            let mut xs = vec![of(&[steps, rows, inputs], 5)?, w, u.clone(), state(3)?, state(4)?];
            check(&Fused::Lstm { gates: true }, &xs)?;
            xs.push(of(&[4 * hidden], 6)?);
            check(&Fused::Lstm { gates: true }, &xs)?;
            check(&Fused::Lstm { gates: false }, &xs)?;
            let states = |seed| of(&[steps, rows, hidden], seed);
            let gates = of(&[steps, rows, 4 * hidden], 7)?.sigmoid()?;
            let mut xs = vec![u, state(3)?, states(4)?, gates.clone(), states(5)?, states(6)?];
            check(&Fused::LstmGrad, &xs)?;
            xs.push(gates);
            check(&Fused::LstmGrad, &xs)?;
        }
    }
    Ok(())
}

#[test]
fn gru() -> Result {
    for dtype in FLOATS {
        for [steps, rows, inputs, hidden] in RECURRENT {
            let of = |shape: &[usize], seed| normal(shape, dtype, seed);
            let (w, u, h) =
                (of(&[3 * hidden, inputs], 1)?, of(&[3 * hidden, hidden], 2)?, of(&[rows, hidden], 3)?);
            let mut xs = vec![of(&[steps, rows, inputs], 4)?, w, u.clone(), h.clone()];
            check(&Fused::Gru { gates: true }, &xs)?;
            xs.extend([of(&[3 * hidden], 5)?, of(&[3 * hidden], 6)?]);
            check(&Fused::Gru { gates: true }, &xs)?;
            check(&Fused::Gru { gates: false }, &xs)?;
            let states = |seed| of(&[steps, rows, hidden], seed);
            let gates = of(&[steps, rows, 4 * hidden], 7)?.sigmoid()?;
            let mut xs = vec![u, h, states(4)?, gates.clone(), states(5)?];
            check(&Fused::GruGrad, &xs)?;
            xs.push(gates);
            check(&Fused::GruGrad, &xs)?;
        }
    }
    Ok(())
}

#[test]
fn recurrent_nets_are_the_same_with_any_number_of_threads() -> Result {
    let [steps, rows, inputs, hidden] = [5, 50, 30, 64];
    let of = |shape: &[usize], seed| normal(shape, DType::F32, seed);
    let (x, state, states) =
        (of(&[steps, rows, inputs], 1)?, of(&[rows, hidden], 2)?, of(&[steps, rows, hidden], 3)?);
    let gates = of(&[steps, rows, 4 * hidden], 4)?.sigmoid()?;
    let (w4, u4) = (of(&[4 * hidden, inputs], 5)?, of(&[4 * hidden, hidden], 6)?);
    let (w3, u3) = (w4.narrow(0, 0, 3 * hidden)?, u4.narrow(0, 0, 3 * hidden)?);
    for (fused, operands) in [
        (Fused::Lstm { gates: false }, vec![&x, &w4, &u4, &state, &state]),
        (Fused::LstmGrad, vec![&u4, &state, &states, &gates, &states, &states]),
        (Fused::Gru { gates: false }, vec![&x, &w3, &u3, &state]),
        (Fused::GruGrad, vec![&u3, &state, &states, &gates, &states]),
    ] {
        let run = |threads| -> Result<Vec<Vec<f32>>> {
            firesteel_cpu::set_num_threads(threads)?;
            let results = Tensor::apply(Op::Fused(fused.clone(), operands.iter().copied().collect()))?;
            results.iter().map(|y| y.to_vec()).collect()
        };
        let alone = run(1)?;
        for threads in [2, 3, 7] {
            assert_eq!(alone, run(threads)?, "{fused:?} by {threads}");
        }
    }
    Ok(())
}

#[test]
fn recurrent_nets_refuse_what_does_not_fit() -> Result {
    let [steps, rows, inputs, hidden] = [2, 3, 4, 5];
    let state = || vec![rows, hidden];
    let all = |width: usize| vec![steps, rows, width];
    let forth = |count: usize, more: Vec<Vec<usize>>| {
        let first = vec![all(inputs), vec![count * hidden, inputs], vec![count * hidden, hidden]];
        [first, more].concat()
    };
    let back = |count: usize, downs: usize| {
        let first = vec![vec![count * hidden, hidden], state(), all(hidden), all(4 * hidden)];
        [first, vec![all(hidden); downs], vec![all(4 * hidden)]].concat()
    };
    for (fused, shapes, counts) in [
        (Fused::Lstm { gates: true }, forth(4, vec![state(), state(), vec![4 * hidden]]), [5, 6]),
        (Fused::LstmGrad, back(4, 2), [6, 7]),
        (Fused::Gru { gates: true }, forth(3, vec![state(), vec![3 * hidden], vec![3 * hidden]]), [4, 6]),
        (Fused::GruGrad, back(3, 1), [5, 6]),
    ] {
        let run = |shapes: &[Vec<usize>], other: Option<(usize, DType)>| {
            let dtype = |i| other.filter(|(at, _)| *at == i).map_or(DType::F32, |(_, dtype)| dtype);
            let xs = shapes.iter().enumerate().map(|(i, shape)| Tensor::ones(shape, (dtype(i), &Cpu)));
            let xs = xs.collect::<Result<Vec<_>>>()?;
            Tensor::apply(Op::Fused(fused.clone(), xs.iter().collect()))
        };
        for count in 0..=shapes.len() {
            assert_eq!(run(&shapes[..count], None).is_ok(), counts.contains(&count), "{fused:?} of {count}");
        }
        assert!(run(&[shapes.clone(), vec![vec![1]]].concat(), None).is_err(), "{fused:?} of one more");
        let alone = shapes.iter().filter(|shape| shape.len() == 3).count() == 1;
        for i in 0..shapes.len() {
            for dtype in [DType::F64, DType::I64] {
                assert!(run(&shapes, Some((i, dtype))).is_err(), "{fused:?}, operand {i} of {dtype}");
            }
            let mut others = shapes.clone();
            others[i].push(1);
            assert!(run(&others, None).is_err(), "{fused:?}, operand {i} of one dim more");
            for axis in 0..shapes[i].len() {
                for size in [0, 1, shapes[i][axis] + 1] {
                    let mut others = shapes.clone();
                    others[i][axis] = size;
                    // inputs alone may be of any number of steps but none
                    let fits = alone && (i, axis) == (0, 0) && size > 0;
                    assert_eq!(run(&others, None).is_ok(), fits, "{fused:?} of {others:?}");
                }
            }
        }
        // nothing goes on without one step
        let none: Vec<Vec<usize>> = shapes
            .iter()
            .map(|shape| if shape.len() == 3 { vec![0, shape[1], shape[2]] } else { shape.clone() })
            .collect();
        assert!(run(&none, None).is_err(), "{fused:?} of no steps");
    }
    Ok(())
}
