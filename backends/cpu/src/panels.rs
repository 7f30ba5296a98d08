//! A matrix packed once, for many products of few rows with it: a recurrent net has one in each step.
//!
//! It lies in panels of columns, one after another from its first row to its last, and rows that are multiplied lie eight
//! by eight. So what a product reads lies in the order in which it is read, and each sum stays in a register.
use crate::{
    gemm::Matrix,
    parallel,
    real::Real,
    simd::{Baseline, Isa, Level, best},
    turn::turn_rows,
    value::{Native, Output},
};
use firesteel_core::Result;
use std::ops::Range;

/// Columns of a panel.
const WIDTH: usize = 32;
/// Rows that are multiplied together.
pub(crate) const ROWS: usize = 8;

/// A packed matrix `[k, n]`.
pub(crate) struct Panels<T> {
    memory: Output<T>,
    size: [usize; 2],
}

impl<T: Lanes> Panels<T> {
    /// Packs matrices with as many columns, one beneath the other; a last panel is filled up with zeros.
    pub(crate) fn new<const N: usize>(parts: [Matrix<T>; N]) -> Result<Self> {
        let (k, n) = (parts.iter().map(|part| part.size[0]).sum::<usize>(), parts[0].size[1]);
        let mut memory = Output::<T>::new(n.div_ceil(WIDTH) * k * WIDTH)?;
        let panel = (k * WIDTH).max(1);
        parallel::pieces(memory.slice(), panel, parallel::GRAIN, |first, y| {
            for (i, y) in y.chunks_exact_mut(panel).enumerate() {
                let start = (first + i) * WIDTH;
                let columns = start..n.min(start + WIDTH);
                let mut y = y.as_chunks_mut().0;
                for part in parts {
                    let (here, rest) = y.split_at_mut(part.size[0]);
                    turned::<T, WIDTH>(part.columns(columns.clone()).t(), here);
                    y = rest;
                }
            }
        });
        Ok(Self { memory, size: [k, n] })
    }

    /// How many rows it has, and so how many numbers those have that it is multiplied with.
    pub(crate) fn rows(&self) -> usize {
        self.size[0]
    }

    /// The products of as many numbers of each row, from one on: `put(row, columns, numbers)` gets a part of a row at a time.
    #[inline(always)]
    pub(crate) fn times(
        &self,
        rows: &Packed<T>,
        from: usize,
        mut put: impl FnMut(usize, Range<usize>, &[T]),
    ) {
        let [k, n] = self.size;
        let mut sums = [[T::default(); WIDTH]; ROWS];
        for (panel, b) in self.memory.read().chunks_exact(k * WIDTH).enumerate() {
            let columns = panel * WIDTH..n.min((panel + 1) * WIDTH);
            for (block, a) in rows.blocks.iter().enumerate() {
                T::tile(&a[from..from + k], b.as_chunks().0, &mut sums);
                for (row, sums) in (block * ROWS..rows.len).zip(&sums) {
                    put(row, columns.clone(), &sums[..columns.len()]);
                }
            }
        }
    }
}

/// Rows as they are multiplied with: eight by eight, their first numbers side by side, then their second; zeros where there
/// are fewer.
pub(crate) struct Packed<T> {
    blocks: Vec<Vec<[T; ROWS]>>,
    len: usize,
}

impl<T: Real> Packed<T> {
    /// Packs the rows of matrices with as many rows, one beside the other.
    pub(crate) fn new<const N: usize>(parts: [Matrix<T>; N]) -> Self {
        let (len, k) = (parts[0].size[0], parts.iter().map(|part| part.size[1]).sum());
        let block = |first: usize| {
            let mut block = vec![[T::default(); ROWS]; k];
            let mut y = &mut block[..];
            for part in parts {
                let (here, rest) = y.split_at_mut(part.size[1]);
                turned(part.part(first, ROWS.min(len - first)), here);
                y = rest;
            }
            block
        };
        Self { blocks: (0..len).step_by(ROWS).map(block).collect(), len }
    }
}

/// Writes up to `N` rows as columns, and zeros where there are fewer.
fn turned<T: Native, const N: usize>(rows: Matrix<T>, y: &mut [[T; N]]) {
    if rows.size[0] == N && rows.size[1] > 0 && rows.strides[1] == 1 && rows.strides[0] >= 0 {
        return turn_rows(rows.lines(), rows.strides[0] as usize, y);
    }
    for (p, y) in y.iter_mut().enumerate() {
        *y = std::array::from_fn(|i| if i < rows.size[0] { rows.number(i, p) } else { T::default() });
    }
}

/// Numbers that processors multiply many of at once.
pub(crate) trait Lanes: Real {
    /// `sums[i][j] = Σ a[p][i] · b[p][j]`, each sum in the order of `p`.
    fn tile(a: &[[Self; ROWS]], b: &[[Self; WIDTH]], sums: &mut [[Self; WIDTH]; ROWS]);
}

/// Without vectors that we name: a row at a time.
fn plain<T: Real>(a: &[[T; ROWS]], b: &[[T; WIDTH]], sums: &mut [[T; WIDTH]; ROWS]) {
    for (i, sums) in sums.iter_mut().enumerate() {
        let mut row = [T::default(); WIDTH];
        for (a, b) in a.iter().zip(b) {
            row.iter_mut().zip(b).for_each(|(sum, b)| *sum = Baseline::fma(a[i], *b, *sum));
        }
        *sums = row;
    }
}

/// For each type: its vectors, and how many rows of how many vectors fit in the registers of each instruction set.
macro_rules! lanes {
    ($($t:ty, $tile:ident, $splat:ident $fma:ident $read:ident $write:ident, V4 $v4:tt V3 $v3:tt;)*) => {$(
        #[cfg(target_arch = "x86_64")]
        #[inline(always)]
        fn $tile<S: pulp::Simd, const R: usize, const C: usize>(
            simd: S,
            a: &[[$t; ROWS]],
            b: &[[$t; WIDTH]],
            sums: &mut [[$t; WIDTH]; ROWS],
        ) {
            let b = S::$read(b.as_flattened()).0;
            for (part, sums) in sums.chunks_exact_mut(R).enumerate() {
                let mut lanes = [[simd.$splat(0.0); C]; R];
                for (a, b) in a.iter().zip(b.chunks_exact(C)) {
                    let (a, b) = (&a[part * R..][..R], &b[..C]);
                    for i in 0..R {
                        let x = simd.$splat(a[i]);
                        for j in 0..C {
                            lanes[i][j] = simd.$fma(x, b[j], lanes[i][j]);
                        }
                    }
                }
                for (sums, lanes) in sums.iter_mut().zip(&lanes) {
                    S::$write(sums).0.copy_from_slice(lanes);
                }
            }
        }

        impl Lanes for $t {
            fn tile(a: &[[$t; ROWS]], b: &[[$t; WIDTH]], sums: &mut [[$t; WIDTH]; ROWS]) {
                match best() {
                    #[cfg(target_arch = "x86_64")]
                    Isa::V4(simd) => simd.vectorize(
                        #[inline(always)]
                        || lanes!(@ $tile $v4, simd, a, b, sums),
                    ),
                    #[cfg(target_arch = "x86_64")]
                    Isa::V3(simd) => simd.vectorize(
                        #[inline(always)]
                        || lanes!(@ $tile $v3, simd, a, b, sums),
                    ),
                    Isa::Baseline => plain(a, b, sums),
                }
            }
        }
    )*};
    // a closure that gives `sums` away is called as it is, and so inlined; another would be called by way of a function
    // for which nobody promises that
    (@ $tile:ident ($rows:literal, $vectors:literal), $simd:ident, $a:ident, $b:ident, $sums:ident) => {{
        let sums = $sums;
        $tile::<_, $rows, $vectors>($simd, $a, $b, sums)
    }};
}

lanes! {
    f32, tile_f32, splat_f32s mul_add_f32s as_simd_f32s as_mut_simd_f32s, V4 (8, 2) V3 (2, 4);
    f64, tile_f64, splat_f64s mul_add_f64s as_simd_f64s as_mut_simd_f64s, V4 (4, 4) V3 (1, 8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        for [m, k, n] in [[1, 1, 1], [3, 5, 31], [8, 7, 32], [9, 4, 33], [17, 40, 100], [24, 33, 96]] {
            let number = |i: usize| (i * 7 % 11) as f32 - 5.0;
            let a: Vec<f32> = (0..m * k).map(number).collect();
            let b: Vec<f32> = (0..k * n).map(|i| number(i + 3)).collect();
            let mut got = vec![0.0; m * n];
            let rows = Matrix::rows(&a, [m, k]);
            let (upper, lower) = b.split_at(k / 2 * n);
            let parts = [(upper, k / 2), (lower, k - k / 2)].map(|(part, k)| Matrix::rows(part, [k, n]));
            let panels = Panels::new(parts).unwrap();
            let rows = Packed::new([rows.columns(0..k / 2), rows.columns(k / 2..k)]);
            panels.times(&rows, 0, |row, columns, sums| got[row * n..][columns].copy_from_slice(sums));
            let sum = |at: usize| (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]).sum::<f32>();
            assert_eq!(got, (0..m * n).map(sum).collect::<Vec<_>>(), "{m} x {k} x {n}");
        }
    }
}
