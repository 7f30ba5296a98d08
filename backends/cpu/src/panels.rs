//! A matrix packed once, for many products of few rows with it: a recurrent net has one in each step.
//!
//! It lies in panels of columns, one after another from its first row to its last, and rows that are multiplied lie eight
//! by eight. So what a product reads lies in the order in which it is read, and each sum stays in a register.
use crate::{
    gemm::Matrix,
    real::Real,
    simd::{Baseline, Isa, Level, best},
    value::Output,
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
        let panels = memory.slice().chunks_exact_mut((k * WIDTH).max(1)).enumerate();
        for (panel, y) in panels {
            y.fill(T::default());
            let columns = panel * WIDTH..n.min((panel + 1) * WIDTH);
            for (j, column) in columns.enumerate() {
                let mut y = y[j..].iter_mut().step_by(WIDTH);
                for part in parts {
                    part.column(column).zip(&mut y).for_each(|(x, y)| *y = x);
                }
            }
        }
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
    /// Packs rows of as many numbers, each given as parts that follow one another.
    pub(crate) fn new<const N: usize>(rows: &[[&[T]; N]]) -> Self {
        let block = |rows: &[[&[T]; N]]| {
            let mut block = vec![[T::default(); ROWS]; rows[0].iter().map(|part| part.len()).sum()];
            for (i, row) in rows.iter().enumerate() {
                let numbers = row.iter().copied().flatten();
                block.iter_mut().zip(numbers).for_each(|(block, x)| block[i] = *x);
            }
            block
        };
        Self { blocks: rows.chunks(ROWS).map(block).collect(), len: rows.len() }
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
        for [m, k, n] in [[1, 1, 1], [3, 5, 31], [8, 7, 32], [9, 4, 33], [17, 40, 100]] {
            let number = |i: usize| (i * 7 % 11) as f32 - 5.0;
            let a: Vec<f32> = (0..m * k).map(number).collect();
            let b: Vec<f32> = (0..k * n).map(|i| number(i + 3)).collect();
            let mut got = vec![0.0; m * n];
            let rows: Vec<[&[f32]; 2]> = a.chunks(k).map(|row| row.split_at(k / 2).into()).collect();
            let (upper, lower) = b.split_at(k / 2 * n);
            let parts = [(upper, k / 2), (lower, k - k / 2)].map(|(part, k)| Matrix::rows(part, [k, n]));
            let panels = Panels::new(parts).unwrap();
            let rows = Packed::new(&rows);
            panels.times(&rows, 0, |row, columns, sums| got[row * n..][columns].copy_from_slice(sums));
            let sum = |at: usize| (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]).sum::<f32>();
            assert_eq!(got, (0..m * n).map(sum).collect::<Vec<_>>(), "{m} x {k} x {n}");
        }
    }
}
