use super::product_by;
use crate::{
    CpuValue,
    dots::Kernel,
    matmul::matmul,
    parallel::set_num_threads,
    testing::{error, first, matrices, numbers, value},
};
use firesteel_core::{DType, ErrorKind, Fused, Meta, Op, Scalar, Shape, Span};
use smallvec::smallvec;

/// All bytes, without a pattern.
fn bytes(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|i| f64::from(((i + seed).wrapping_mul(2_654_435_761) >> 13) as u8 as i8)).collect()
}

/// `a b` of batches, by the definition, as I32 and as I8 keep it.
fn defined(batch: usize, [m, k, n]: [usize; 3], a: &[f64], b: &[f64]) -> [Vec<f64>; 2] {
    let sum = |at: usize| {
        let (z, i, j) = (at / n / m, at / n % m, at % n);
        (0..k).map(|p| a[(z * m + i) * k + p] as i64 * b[(z * k + p) * n + j] as i64).sum::<i64>()
    };
    let sums: Vec<i64> = (0..batch * m * n).map(sum).collect();
    [
        sums.iter().map(|&sum| f64::from(sum as i32)).collect(),
        sums.iter().map(|&sum| f64::from(sum as i8)).collect(),
    ]
}

fn product(a: &CpuValue, b: &CpuValue) -> [Vec<f64>; 2] {
    [first(Op::Fused(Fused::IntMm, smallvec![a, b])), first(Op::MatMul(a, b))]
}

#[test]
fn every_kernel_gives_products_of_the_definition() {
    let sizes = [
        [1, 1, 1],
        [2, 3, 4],
        [3, 5, 31],
        [32, 64, 32],
        [33, 65, 70],
        [100, 1100, 65],
        [300, 7, 300],
        [31, 2100, 33],
        // rows that are whole steps, which kernels read where they lie
        [1, 64, 32],
        [17, 128, 33],
        [39, 1088, 64],
        [300, 2112, 290],
    ];
    for [m, k, n] in sizes {
        let (a, b) = (bytes(m * k, 1), bytes(k * n, 2));
        let exact = defined(1, [m, k, n], &a, &b);
        for a in matrices(DType::I8, [m, k], &a) {
            for b in matrices(DType::I8, [k, n], &b) {
                assert!(product(&a, &b) == exact, "{m} x {k} x {n}");
                for kernel in Kernel::all(DType::I8) {
                    for (dtype, exact) in [DType::I32, DType::I8].into_iter().zip(&exact) {
                        let got = product_by(kernel, &a, &b, &Meta::new([m, n], dtype)).unwrap().unwrap();
                        assert!(numbers(&got) == *exact, "{m} x {k} x {n} in {dtype} by {kernel:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn rows_and_columns_are_read_where_they_lie() {
    for [m, k, n] in
        [[1, 1, 7], [1, 300, 65], [1, 37, 1300], [1, 1025, 4], [9, 130, 1], [70, 3, 1], [1, 5, 1]]
    {
        let (a, b) = (bytes(m * k, 3), bytes(k * n, 4));
        let exact = defined(1, [m, k, n], &a, &b);
        for a in matrices(DType::I8, [m, k], &a) {
            for b in matrices(DType::I8, [k, n], &b) {
                assert!(product(&a, &b) == exact, "{m} x {k} x {n}");
            }
        }
    }
}

#[test]
fn long_sums_of_extremes_wrap() {
    // 128² · k leaves 32 bits; of whole steps and others
    let k = (1 << 17) + 64;
    for [x, y] in [[-128.0, -128.0], [-128.0, 127.0], [127.0, 127.0]] {
        for [m, k, n] in [[1, k + 5, 3], [3, k + 5, 1], [2, k + 5, 3], [2, k, 3], [3, k, 32]] {
            let (a, b) = (vec![x; m * k], vec![y; k * n]);
            let exact = defined(1, [m, k, n], &a, &b);
            let (a, b) = (value(DType::I8, [m, k], &a), value(DType::I8, [k, n], &b));
            assert_eq!(product(&a, &b), exact);
            for kernel in Kernel::all(DType::I8) {
                let got = product_by(kernel, &a, &b, &Meta::new([m, n], DType::I32)).unwrap().unwrap();
                assert_eq!(numbers(&got), exact[0], "{kernel:?}");
            }
        }
    }
}

#[test]
fn few_rows_are_products_of_the_definition_each_time() {
    // the matrix on the right stays packed from the second product on
    let (k, n) = (1100, 70);
    let b = bytes(k * n, 10);
    let ys = matrices(DType::I8, [k, n], &b);
    for m in 2..=33 {
        let a = bytes(m * k, 9);
        let exact = defined(1, [m, k, n], &a, &b);
        let x = value(DType::I8, [m, k], &a);
        assert!(ys.iter().all(|y| product(&x, y) == exact), "{m} rows");
    }
}

#[test]
fn rows_of_a_part_are_read_where_they_lie() {
    let ([m, k, n], [first, step]) = ([70, 192, 64], [2, 3]);
    let (a, b) = (bytes(m * 300, 11), bytes(k * n, 12));
    let rows = m / 2 - first;
    let part: Vec<f64> = (0..rows).flat_map(|i| a[(first + i) * 300 + step..][..k].to_vec()).collect();
    let exact = defined(1, [rows, k, n], &part, &b);
    let spans = [Span { start: first, step: 1, len: rows }, Span { start: step, step: 1, len: k }];
    let x = value(DType::I8, [m, 300], &a);
    let y = value(DType::I8, [k, n], &b);
    assert!(product(&x.view(x.layout.slice(&spans)), &y) == exact);
    // backwards
    let back = [Span { start: first + rows - 1, step: -1, len: rows }, spans[1]];
    let part: Vec<f64> = part.chunks(k).rev().flatten().copied().collect();
    assert!(product(&x.view(x.layout.slice(&back)), &y) == defined(1, [rows, k, n], &part, &b));
    // one row again and again
    let row = x.view(x.layout.slice(&[Span { start: 1, step: 1, len: 1 }, spans[1]]));
    let repeated = row.view(row.layout.broadcast(&Shape::from([rows, k])));
    let part = a[300 + step..][..k].repeat(rows);
    assert!(product(&repeated, &y) == defined(1, [rows, k, n], &part, &b));
}

#[test]
fn batches_share_what_is_broadcast() {
    for [m, k, n] in [[40, 50, 60], [40, 64, 60], [1, 50, 60], [40, 50, 1], [2, 3, 2]] {
        let (a, b) = (bytes(3 * m * k, 5), bytes(k * n, 6));
        let x = value(DType::I8, [3, m, k], &a);
        let y = value(DType::I8, [1, k, n], &b);
        let y = y.view(y.layout.broadcast(&Shape::from([3, k, n])));
        assert_eq!(product(&x, &y), defined(3, [m, k, n], &a, &[&b[..], &b, &b].concat()));
        // and backwards
        let back = Span { start: 2, step: -1, len: 3 };
        let x = x.view(x.layout.slice(&[back, Span::all(m), Span::all(k)]));
        let turned: Vec<f64> = a.chunks(m * k).rev().flatten().copied().collect();
        assert_eq!(product(&x, &y), defined(3, [m, k, n], &turned, &[&b[..], &b, &b].concat()));
    }
}

#[test]
fn where_there_is_nothing_sums_are_zero() {
    for [batch, m, k, n] in
        [[2, 3, 0, 4], [2, 0, 3, 4], [2, 3, 4, 0], [0, 3, 4, 5], [1, 1, 0, 5], [1, 0, 0, 0]]
    {
        let (a, b) = (
            value(DType::I8, [batch, m, k], &bytes(batch * m * k, 1)),
            value(DType::I8, [batch, k, n], &bytes(batch * k * n, 2)),
        );
        let zeros = vec![0.0; batch * m * n];
        assert_eq!(product(&a, &b), [zeros.clone(), zeros]);
    }
    let same = CpuValue::same(Meta::new([40, 50], DType::I8), Scalar::Int(-128));
    assert_eq!(product(&same, &same.view(same.layout.permute(&[1, 0])))[0], vec![128.0 * 128.0 * 50.0; 1600]);
}

#[test]
fn threads_change_nothing() {
    for [m, k, n] in [[200, 300, 250], [200, 1600, 256], [1, 3000, 2500], [2500, 3000, 1]] {
        let (a, b) = (bytes(m * k, 7), bytes(k * n, 8));
        let (a, b) = (value(DType::I8, [m, k], &a), value(DType::I8, [k, n], &b));
        let out = Meta::new([m, n], DType::I32);
        let by = |threads: usize| {
            set_num_threads(threads).unwrap();
            numbers(&matmul(&a, &b, &out).unwrap())
        };
        let one = by(1);
        assert!(by(2) == one && by(5) == one);
    }
}

#[test]
fn other_operands_are_errors() {
    let mm = |a: &CpuValue, b: &CpuValue| error(Op::Fused(Fused::IntMm, smallvec![a, b]));
    let x = |dtype, shape: &[usize]| value(dtype, shape, &vec![1.0; shape.iter().product()]);
    let a = x(DType::I8, &[2, 3]);
    for dtype in [DType::U8, DType::I32, DType::F32, DType::Bool] {
        assert_eq!(mm(&a, &x(dtype, &[3, 2])).0, ErrorKind::DType);
    }
    assert_eq!(
        mm(&a, &a),
        (ErrorKind::Shape, "int_mm: cannot multiply [2, 3] by [2, 3]: the inner sizes 3 and 2 differ".into())
    );
    assert_eq!(mm(&a, &x(DType::I8, &[3])).0, ErrorKind::Shape);
    assert_eq!(mm(&a, &x(DType::I8, &[2, 3, 2])).0, ErrorKind::Shape);
}
