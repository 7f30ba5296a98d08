//! Squares of numbers in 32 bits, turned about their diagonal in registers.
use crate::{simd::best, value::Native};
use bytemuck::{cast_slice, cast_slice_mut};

/// The side of a square.
const SIDE: usize = 8;

type Square = [[u32; SIDE]; SIDE];

/// Writes `rows x columns` of `x`, which lie `step` apart, to `y` as columns by rows, which lie `width` apart.
pub(crate) fn turn(x: &[u32], step: usize, size: [usize; 2], y: &mut [u32], width: usize) {
    match best().at_most_v3() {
        #[cfg(target_arch = "x86_64")]
        Some(isa) => isa.vectorize(
            #[inline(always)]
            || {
                in_squares(
                    x,
                    step,
                    size,
                    y,
                    width,
                    #[inline(always)]
                    |square| by_shuffles(isa, square),
                )
            },
        ),
        _ => in_squares(x, step, size, y, width, by_numbers),
    }
}

/// Writes the first `N` rows of `x`, which lie `step` apart, as columns.
pub(crate) fn turn_rows<T: Native, const N: usize>(x: &[T], step: usize, y: &mut [[T; N]]) {
    if size_of::<T>() == size_of::<u32>() {
        let size = [N, y.len()];
        return turn(cast_slice(x), step, size, cast_slice_mut(y.as_flattened_mut()), N);
    }
    for i in 0..N {
        y.iter_mut().zip(&x[i * step..]).for_each(|(y, x)| y[i] = *x);
    }
}

#[inline(always)]
fn in_squares(
    x: &[u32],
    step: usize,
    [rows, columns]: [usize; 2],
    y: &mut [u32],
    width: usize,
    turned: impl Fn(Square) -> Square,
) {
    for row in (0..rows).step_by(SIDE) {
        for column in (0..columns).step_by(SIDE) {
            let (height, length) = (SIDE.min(rows - row), SIDE.min(columns - column));
            if height == SIDE && length == SIDE {
                let mut square = [[0; SIDE]; SIDE];
                for (i, line) in square.iter_mut().enumerate() {
                    line.copy_from_slice(&x[(row + i) * step + column..][..SIDE]);
                }
                for (j, line) in turned(square).iter().enumerate() {
                    y[(column + j) * width + row..][..SIDE].copy_from_slice(line);
                }
                continue;
            }
            for i in row..row + height {
                for j in column..column + length {
                    y[j * width + i] = x[i * step + j];
                }
            }
        }
    }
}

fn by_numbers(x: Square) -> Square {
    std::array::from_fn(|j| x.map(|row| row[j]))
}

/// Pairs, then fours, then halves change places.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn by_shuffles(isa: pulp::x86::V3, x: Square) -> Square {
    use std::arch::x86_64::__m256;
    let avx = isa.avx;
    let [a, b, c, d, e, f, g, h]: [__m256; SIDE] = bytemuck::cast(x);
    let low = |x, y| avx._mm256_unpacklo_ps(x, y);
    let high = |x, y| avx._mm256_unpackhi_ps(x, y);
    let (ab, cd, ef, gh) = (low(a, b), low(c, d), low(e, f), low(g, h));
    let (ab_high, cd_high, ef_high, gh_high) = (high(a, b), high(c, d), high(e, f), high(g, h));
    let first = |x, y| avx._mm256_shuffle_ps::<0b01_00_01_00>(x, y);
    let second = |x, y| avx._mm256_shuffle_ps::<0b11_10_11_10>(x, y);
    let top = [first(ab, cd), second(ab, cd), first(ab_high, cd_high), second(ab_high, cd_high)];
    let bottom = [first(ef, gh), second(ef, gh), first(ef_high, gh_high), second(ef_high, gh_high)];
    let mut y = [a; SIDE];
    for i in 0..4 {
        y[i] = avx._mm256_permute2f128_ps::<0x20>(top[i], bottom[i]);
        y[i + 4] = avx._mm256_permute2f128_ps::<0x31>(top[i], bottom[i]);
    }
    bytemuck::cast(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for [rows, columns] in [[8, 8], [16, 24], [3, 9], [17, 5], [1, 1], [0, 4]] {
            let (step, width) = (columns + 3, rows + 2);
            let x: Vec<u32> = (0..(rows * step) as u32).collect();
            let mut y = vec![u32::MAX; columns * width];
            turn(&x, step, [rows, columns], &mut y, width);
            for i in 0..rows {
                for j in 0..columns {
                    assert_eq!(y[j * width + i], x[i * step + j], "{rows} x {columns}");
                }
            }
        }
    }
}
