//! Matrix products and convolutions against their definitions, in numbers that are exact in every dtype.
use firesteel_core::{Backend, Conv, Data, Element, Fused, Op, Shape, Tensor, TensorData};
use firesteel_cpu::{Cpu, num_threads, set_num_threads};

type Result<T = ()> = firesteel_core::Result<T>;

/// Whole numbers from -2 to 2 (0 to 2 where signs are missing), the same for the same `seed`.
fn numbers<T: Element>(shape: &[usize], seed: u64) -> Vec<T> {
    let lowest = if T::DTYPE.is_signed() { -2 } else { 0 };
    let number = |i: u64| ((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ seed) >> 33) % (3 - lowest) as u64;
    (0..shape.iter().product::<usize>() as u64).map(|i| T::from_i64(number(i) as i64 + lowest)).collect()
}

fn tensor<T: Element>(shape: &[usize], seed: u64) -> Result<Tensor<Cpu>> {
    upload(TensorData::new(Shape::from(shape), T::wrap(numbers::<T>(shape, seed)))?)
}

fn upload(data: TensorData) -> Result<Tensor<Cpu>> {
    Ok(Tensor::from_value(Cpu, Cpu.upload(data)?))
}

fn as_i64<T: Element>(x: &[T]) -> Vec<i64> {
    x.iter().map(|x| x.to_f64() as i64).collect()
}

fn read(x: &Tensor<Cpu>) -> Result<Vec<i64>> {
    Ok(x.to_data()?.to_vec::<i64>())
}

macro_rules! for_each_type {
    ($check:ident) => {
        $check::<f64>()?;
        $check::<f32>()?;
        $check::<i64>()?;
        $check::<i32>()?;
        $check::<i8>()?;
        $check::<u32>()?;
        $check::<u8>()?;
    };
}

#[test]
fn matmul_is_the_sum_of_products_however_its_operands_lie() -> Result {
    fn check<T: Element>() -> Result {
        let small = [[1, 1, 1], [2, 3, 4], [1, 7, 5], [7, 5, 1], [17, 9, 33], [3, 0, 2], [0, 4, 3]];
        // more than a block of what is added up, and of columns
        let large =
            [[40, 70, 50], [130, 300, 70], [9, 520, 500], [100, 1030, 210], [1, 303, 1500], [603, 78, 1]];
        let sizes = small.into_iter().chain(large);
        for [m, k, n] in sizes {
            for batch in [0, 1, 3] {
                let (a, b) = (numbers::<T>(&[batch, m, k], 1), numbers::<T>(&[batch, k, n], 2));
                let (a, b) = (as_i64(&a), as_i64(&b));
                let mut want = vec![];
                for at in 0..batch * m * n {
                    let (z, i, j) = (at / n / m, at / n % m, at % n);
                    want.push((0..k).map(|p| a[(z * m + i) * k + p] * b[(z * k + p) * n + j]).sum::<i64>());
                }
                let want = as_i64(&want.into_iter().map(T::from_i64).collect::<Vec<_>>());
                let (a, b) = (tensor::<T>(&[batch, m, k], 1)?, tensor::<T>(&[batch, k, n], 2)?);
                for [swap_a, swap_b] in [[false, false], [false, true], [true, false], [true, true]] {
                    // the same numbers, columns first in memory
                    let lay = |x: &Tensor<Cpu>, swap: bool| match swap {
                        true => upload(x.transpose(1, 2)?.to_data()?)?.transpose(1, 2),
                        false => Ok(x.clone()),
                    };
                    let y = Tensor::one(Op::MatMul(&lay(&a, swap_a)?, &lay(&b, swap_b)?))?;
                    assert_eq!(read(&y)?, want, "{:?} {batch} x {m} x {k} x {n}", T::DTYPE);
                }
            }
        }
        Ok(())
    }
    for_each_type!(check);
    Ok(())
}

#[test]
fn linear_adds_its_bias_to_each_row() -> Result {
    fn check<T: Element>() -> Result {
        for [m, k, n] in [[1, 5, 3], [3, 0, 2], [5, 7, 1], [20, 300, 500], [3, 70, 61]] {
            let [x, w] = [tensor::<T>(&[m, k], 1)?, tensor::<T>(&[n, k], 2)?];
            let bias = tensor::<T>(&[n], 3)?;
            let y = Tensor::one(Op::Fused(Fused::Linear, [&x, &w, &bias].into_iter().collect()))?;
            let (x, w, bias) = (read(&x)?, read(&w)?, read(&bias)?);
            let sum = |i: usize, j: usize| (0..k).map(|p| x[i * k + p] * w[j * k + p]).sum::<i64>();
            let want: Vec<i64> = (0..m * n).map(|at| sum(at / n, at % n) + bias[at % n]).collect();
            assert_eq!(read(&y)?, want, "{:?} {m} x {k} x {n}", T::DTYPE);
        }
        Ok(())
    }
    check::<f64>()?;
    check::<f32>()
}

#[test]
fn products_do_not_depend_on_the_number_of_threads() -> Result {
    let before = num_threads();
    for [m, k, n] in [[1, 1500, 1500], [1501, 1502, 1], [200, 300, 400], [1000, 100, 60], [17, 3000, 130]] {
        let number = |i: i64| ((i * 7919 % 1013) as f32).sqrt() - 16.0;
        let make = |shape: [usize; 2]| {
            let len = (shape[0] * shape[1]) as i64;
            upload(TensorData::new(shape, Data::F32((0..len).map(number).collect()))?)
        };
        let (x, w, right) = (make([m, k])?, make([n, k])?, make([k, n])?);
        let mut found = vec![];
        for threads in [1, 2, 3, 8] {
            set_num_threads(threads)?;
            let ys = [
                Tensor::one(Op::MatMul(&x, &right))?,
                Tensor::one(Op::MatMul(&x, &w.transpose(0, 1)?))?,
                Tensor::one(Op::Fused(Fused::Linear, [&x, &w].into_iter().collect()))?,
            ];
            let bits = |y: &Tensor<Cpu>| y.to_vec::<f32>().map(|y| y.into_iter().map(f32::to_bits).collect());
            found.push(ys.iter().map(bits).collect::<Result<Vec<Vec<u32>>>>()?);
        }
        assert!(found.iter().all(|ys| *ys == found[0]), "{m} x {k} x {n}");
    }
    set_num_threads(before)
}

/// `(x, w, conv)` of many kinds.
fn convolutions() -> Vec<(Vec<usize>, Vec<usize>, Conv)> {
    let of = |x: &[usize], w: &[usize], stride: &[usize], padding: &[usize], dilation: &[usize], groups| {
        let conv = Conv { stride: stride.into(), padding: padding.into(), dilation: dilation.into(), groups };
        (x.to_vec(), w.to_vec(), conv)
    };
    vec![
        of(&[2, 3, 9], &[4, 3, 3], &[1], &[0], &[1], 1),
        of(&[2, 4, 11], &[6, 2, 3], &[2], &[2], &[2], 2),
        of(&[1, 3, 8, 7], &[5, 3, 3, 3], &[1, 1], &[1, 1], &[1, 1], 1),
        of(&[2, 6, 9, 8], &[6, 1, 3, 3], &[1, 1], &[1, 1], &[1, 1], 6),
        of(&[2, 3, 10, 9], &[6, 1, 3, 2], &[2, 1], &[0, 1], &[1, 2], 3),
        of(&[1, 3, 20, 21], &[8, 3, 7, 7], &[2, 2], &[3, 3], &[1, 1], 1),
        of(&[3, 8, 5, 5], &[7, 8, 1, 1], &[1, 1], &[0, 0], &[1, 1], 1),
        of(&[3, 8, 5, 6], &[4, 4, 1, 1], &[2, 3], &[0, 0], &[1, 1], 2),
        of(&[2, 2, 4, 3], &[3, 2, 2, 2], &[3, 1], &[4, 5], &[1, 1], 1),
        of(&[1, 2, 5, 6, 7], &[4, 2, 3, 2, 3], &[1, 2, 1], &[1, 0, 2], &[2, 1, 1], 1),
        of(&[2, 4, 5, 4, 6], &[4, 1, 3, 3, 3], &[2, 1, 2], &[1, 1, 1], &[1, 1, 1], 4),
        of(&[0, 3, 8], &[4, 3, 3], &[1], &[0], &[1], 1),
        of(&[2, 0, 8], &[4, 0, 3], &[1], &[0], &[1], 1),
        of(&[2, 3, 8], &[0, 3, 3], &[1], &[0], &[1], 1),
        of(&[2, 3, 1, 1], &[4, 3, 3, 3], &[2, 2], &[1, 1], &[1, 1], 1),
        of(&[2, 17, 21, 20], &[9, 17, 3, 3], &[1, 1], &[1, 1], &[1, 1], 1),
        of(&[2, 40, 13, 40], &[40, 1, 5, 5], &[1, 1], &[2, 2], &[1, 1], 40),
        of(&[2, 3, 9, 8], &[6, 1, 3, 2], &[1, 1], &[1, 0], &[2, 1], 3),
        of(&[2, 3, 7, 9], &[6, 1, 2, 3], &[1, 1], &[3, 0], &[2, 2], 3),
    ]
}

/// Calls `f` with every index below `shape`.
fn each_index(shape: &[usize], mut f: impl FnMut(&[usize])) {
    let mut index = vec![0; shape.len()];
    for _ in 0..shape.iter().product::<usize>() {
        f(&index);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

fn flat(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |at, (i, n)| at * n + i)
}

/// Calls `f` with the places in `y`, `x` and `w` that meet in each product of a convolution.
fn each_product(
    ys: &[usize],
    xs: &[usize],
    ws: &[usize],
    conv: &Conv,
    mut f: impl FnMut(usize, usize, usize),
) {
    each_index(ys, |at| {
        each_index(&ws[1..], |tap| {
            let mut from = vec![at[0], at[1] / (ws[0] / conv.groups) * ws[1] + tap[0]];
            for a in 0..conv.stride.len() {
                let place = at[a + 2] * conv.stride[a] + tap[a + 1] * conv.dilation[a];
                match place.checked_sub(conv.padding[a]) {
                    Some(place) if place < xs[a + 2] => from.push(place),
                    _ => return,
                }
            }
            let tap: Vec<usize> = [at[1]].iter().chain(tap).copied().collect();
            f(flat(at, ys), flat(&from, xs), flat(&tap, ws));
        });
    });
}

#[test]
fn convolutions_and_their_adjoints_are_their_definitions() -> Result {
    fn check<T: Element>() -> Result {
        for (xs, ws, conv) in convolutions() {
            let (x, w) = (tensor::<T>(&xs, 1)?, tensor::<T>(&ws, 2)?);
            let y = Tensor::one(Op::Conv(conv.clone().into(), &x, &w))?;
            let g = tensor::<T>(y.shape(), 3)?;
            let size = xs[2..].into();
            let dx = Tensor::one(Op::ConvInputGrad { conv: conv.clone().into(), g: &g, w: &w, size })?;
            let size = ws[2..].into();
            let dw = Tensor::one(Op::ConvWeightGrad { conv: conv.clone().into(), g: &g, x: &x, size })?;

            let (g, x, w) = (read(&g)?, read(&x)?, read(&w)?);
            let (mut want_y, mut want_x, mut want_w) = (vec![0; g.len()], vec![0; x.len()], vec![0; w.len()]);
            each_product(y.shape(), &xs, &ws, &conv, |p, from, tap| {
                want_y[p] += x[from] * w[tap];
                want_x[from] += g[p] * w[tap];
                want_w[tap] += g[p] * x[from];
            });
            for (name, got, want) in [("y", y, want_y), ("x", dx, want_x), ("w", dw, want_w)] {
                let want = as_i64(&want.into_iter().map(T::from_i64).collect::<Vec<_>>());
                assert_eq!(read(&got)?, want, "{name}: {:?} {xs:?} by {ws:?}, {conv:?}", T::DTYPE);
            }
        }
        Ok(())
    }
    for_each_type!(check);
    Ok(())
}

#[test]
fn products_of_halves_are_rounded_once() -> Result {
    // 256 + 1 has no bf16, so that a sum kept in bf16 would stay at 256
    let data = Data::BF16([256.0, 1.0, 1.0, 1.0, 1.0].map(half::bf16::from_f32).to_vec());
    let a = upload(TensorData::new([1, 5], data)?)?;
    let ones = Data::BF16(vec![half::bf16::ONE; 5]);
    let b = upload(TensorData::new([5, 1], ones)?)?;
    assert_eq!(Tensor::one(Op::MatMul(&a, &b))?.to_data()?.to_vec::<f32>(), [260.0]);
    Ok(())
}
