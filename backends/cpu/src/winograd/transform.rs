//! The transforms of Winograd's convolution `F(4x4, 3x3)` along one axis: with
//! [Toom and Cook's scheme](https://arxiv.org/abs/1803.10986) at the points `0, ±a, ±b` and infinity,
//! `y = Aᵀ ((G w) ⊙ (Bᵀ x))` has the four sums of a filter of three over six numbers, by six products instead
//! of twelve; along two axes, 36 instead of 144.
//!
//! The usual points `±1, ±2` cost a digit. With `a = 3/4` and `b = 3/2` the error is on average 1.6 times that of
//! summing the products in F32 (4.7e-7 against 3.0e-7 of the results' deviation, 64 channels of normal numbers),
//! and at most about as large (2.7e-6 against 2.5e-6).
use pulp::Simd;

/// Results of a tile along an axis.
pub(super) const TILE: usize = 4;
/// Numbers that they are made of, and products.
pub(super) const SIDE: usize = TILE + 2;

const A: f32 = 0.75;
const B: f32 = 1.5;
const AA: f32 = A * A;
const BB: f32 = B * B;
/// `G`: of a filter, a row `[1, p, p²] / ∏ (p - q)` for each point, over the other points `q`; the last is infinity.
pub(super) const FILTER: [[f32; 3]; SIDE] = {
    let zero = 1.0 / (AA * BB);
    let a = 1.0 / (2.0 * AA * (AA - BB));
    let b = 1.0 / (2.0 * BB * (BB - AA));
    [
        [zero, 0.0, 0.0],
        [a, a * A, a * AA],
        [a, -a * A, a * AA],
        [b, b * B, b * BB],
        [b, -b * B, b * BB],
        [0.0, 0.0, 1.0],
    ]
};

// What is called in kernels is to be inlined, and closures and the functions of arrays that take them are not.

/// `x + factor y`.
#[inline(always)]
fn more<S: Simd>(simd: S, x: S::f32s, factor: f32, y: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(simd.splat_f32s(factor), y, x)
}

/// `x - factor y`.
#[inline(always)]
fn less<S: Simd>(simd: S, x: S::f32s, factor: f32, y: S::f32s) -> S::f32s {
    simd.negate_mul_add_e_f32s(simd.splat_f32s(factor), y, x)
}

/// `factor x`.
#[inline(always)]
fn times<S: Simd>(simd: S, factor: f32, x: S::f32s) -> S::f32s {
    simd.mul_f32s(simd.splat_f32s(factor), x)
}

/// `G w`: of a filter.
#[inline(always)]
pub(super) fn filter<S: Simd>(simd: S, [w0, w1, w2]: [S::f32s; 3]) -> [S::f32s; SIDE] {
    let [[zero, ..], [a0, a1, a2], _, [b0, b1, b2], ..] = FILTER;
    let even_a = more(simd, times(simd, a0, w0), a2, w2);
    let even_b = more(simd, times(simd, b0, w0), b2, w2);
    [
        times(simd, zero, w0),
        more(simd, even_a, a1, w1),
        less(simd, even_a, a1, w1),
        more(simd, even_b, b1, w1),
        less(simd, even_b, b1, w1),
        w2,
    ]
}

/// `Bᵀ x`: of the numbers that a tile sees.
#[inline(always)]
pub(super) fn seen<S: Simd>(simd: S, [x0, x1, x2, x3, x4, x5]: [S::f32s; SIDE]) -> [S::f32s; SIDE] {
    let (even_a, odd_a) = (less(simd, x4, BB, x2), less(simd, x3, BB, x1));
    let (even_b, odd_b) = (less(simd, x4, AA, x2), less(simd, x3, AA, x1));
    [
        more(simd, less(simd, x4, AA + BB, x2), AA * BB, x0),
        more(simd, even_a, A, odd_a),
        less(simd, even_a, A, odd_a),
        more(simd, even_b, B, odd_b),
        less(simd, even_b, B, odd_b),
        more(simd, less(simd, x5, AA + BB, x3), AA * BB, x1),
    ]
}

/// `Aᵀ m`: the results, of the products.
#[inline(always)]
pub(super) fn results<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::f32s; SIDE]) -> [S::f32s; TILE] {
    let (sum_a, difference_a) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
    let (sum_b, difference_b) = (simd.add_f32s(m3, m4), simd.sub_f32s(m3, m4));
    [
        simd.add_f32s(m0, simd.add_f32s(sum_a, sum_b)),
        more(simd, times(simd, B, difference_b), A, difference_a),
        more(simd, times(simd, BB, sum_b), AA, sum_a),
        more(simd, more(simd, m5, B * BB, difference_b), A * AA, difference_a),
    ]
}

/// `A g`, the adjoint of [`results`]: of the results' gradients.
#[inline(always)]
pub(super) fn gradients<S: Simd>(simd: S, [g0, g1, g2, g3]: [S::f32s; TILE]) -> [S::f32s; SIDE] {
    let (even_a, odd_a) = (more(simd, g0, AA, g2), more(simd, g1, AA, g3));
    let (even_b, odd_b) = (more(simd, g0, BB, g2), more(simd, g1, BB, g3));
    [
        g0,
        more(simd, even_a, A, odd_a),
        less(simd, even_a, A, odd_a),
        more(simd, even_b, B, odd_b),
        less(simd, even_b, B, odd_b),
        g3,
    ]
}
