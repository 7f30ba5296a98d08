//! One filter of one channel, applied directly: as a product of matrices it would be too small.
//!
//! Windows that step by one see the padded input as one long line, in which every place of a window lies at a
//! distance of its own: so long runs are added up whatever the width of an image, and what falls between two
//! lines is left out at the end.
use crate::{
    gemm::Product,
    simd::dispatch_v3,
    value::Output,
    windows::{Windows, zip, zip_mut},
};
use firesteel_core::{Layout, Result};

/// Sums that are held in registers.
const HELD: usize = 64;

impl Windows {
    /// `y[p] = Σ w[q] x[s p + d q - padding]`.
    pub(crate) fn filter<T: Product>(&self, x: &[T], w: &[T], y: &mut [T]) -> Result<()> {
        y.fill(T::default());
        if self.is_dense() {
            return self.add_dense(x, w.iter().copied(), y);
        }
        for (tap, w) in w.iter().enumerate() {
            self.runs(tap, 0..y.len(), |column, len, place| {
                let y = &mut y[column..column + len];
                dispatch_v3!(|L| zip(y, &x[place..], self.step(), |y, x| *y = y.plus(w.times(*x))));
            });
        }
        Ok(())
    }

    /// `x[s p + d q - padding] += w[q] g[p]`: the adjoint of [`filter`](Self::filter) in `x`.
    pub(crate) fn spread<T: Product>(&self, g: &[T], w: &[T], x: &mut [T]) -> Result<()> {
        if let Some(turned) = self.turned() {
            return turned.add_dense(g, w.iter().rev().copied(), x);
        }
        for (tap, w) in w.iter().enumerate() {
            self.runs(tap, 0..g.len(), |column, len, place| {
                let g = &g[column..column + len];
                dispatch_v3!(|L| zip_mut(&mut x[place..], g, self.step(), |x, g| *x = x.plus(w.times(*g))));
            });
        }
        Ok(())
    }

    /// Adds what a filter gives to `y`, where windows step by one.
    fn add_dense<T: Product>(&self, x: &[T], w: impl Iterator<Item = T>, y: &mut [T]) -> Result<()> {
        let padded = Layout::contiguous(self.padded());
        let taps: Vec<(usize, T)> = self.places(&padded).into_iter().zip(w).collect();
        // what follows the end is read, but falls between two lines
        let mut line = Output::<T>::new(padded.shape.numel() + HELD)?;
        let line = line.slice();
        line.fill(T::default());
        self.pad(x, &padded, line);
        let mut sums = Output::<T>::new(padded.shape.numel().next_multiple_of(HELD))?;
        let (blocks, _) = sums.slice().as_chunks_mut::<HELD>();
        dispatch_v3!(|L| for (block, sums) in blocks.iter_mut().enumerate() {
            let mut held = [T::default(); HELD];
            for &(place, w) in &taps {
                if let Some(x) = line.get(block * HELD + place..).and_then(|x| x.first_chunk::<HELD>()) {
                    held.iter_mut().zip(x).for_each(|(sum, x)| *sum = sum.plus(w.times(*x)));
                }
            }
            *sums = held;
        });
        self.lines(&padded, sums.slice(), |at, sums| {
            y[at..at + sums.len()].iter_mut().zip(sums).for_each(|(y, sum)| *y = y.plus(*sum));
        });
        Ok(())
    }
}
