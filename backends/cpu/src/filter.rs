//! One filter of one channel, applied directly: as a product of matrices it would be too small.
//!
//! Windows that step by one see the padded input as one long line, in which every place of a window lies at a
//! distance of its own: so long runs are added up whatever the width of an image, and what falls between two
//! lines is left out at the end.
use crate::{
    gemm::Product,
    gemv::dot,
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
        if self.is_dense() {
            return self.dense(x, w.iter().copied(), y, |y, sum| *y = sum);
        }
        y.fill(T::default());
        for (tap, w) in w.iter().enumerate() {
            self.runs(tap, 0..y.len(), |column, len, place| {
                let y = &mut y[column..column + len];
                dispatch_v3!(|L| zip(y, &x[place..], self.step(), |y, x| *y = y.plus_product::<L>(*w, *x)));
            });
        }
        Ok(())
    }

    /// `x[s p + d q - padding] += w[q] g[p]`: the adjoint of [`filter`](Self::filter) in `x`.
    pub(crate) fn spread<T: Product>(&self, g: &[T], w: &[T], x: &mut [T]) -> Result<()> {
        if let Some(turned) = self.turned() {
            return turned.dense(g, w.iter().rev().copied(), x, |x, sum| *x = x.plus(sum));
        }
        for (tap, w) in w.iter().enumerate() {
            self.runs(tap, 0..g.len(), |column, len, place| {
                let g = &g[column..column + len];
                dispatch_v3!(
                    |L| zip_mut(&mut x[place..], g, self.step(), |x, g| *x = x.plus_product::<L>(*w, *g))
                );
            });
        }
        Ok(())
    }

    /// `w[q] += Σ g[p] x[s p + d q - padding]`: the adjoint of [`filter`](Self::filter) in `w`, where
    /// [windows are dense](Self::is_dense).
    pub(crate) fn correlate<T: Product>(&self, g: &[T], x: &[T], w: &mut [T]) -> Result<()> {
        let padded = Layout::contiguous(self.padded());
        let mut line = self.long(x, &padded)?;
        let line = line.slice();
        // between two lines are zeros
        let mut given = Output::<T>::new(padded.shape.numel())?;
        let given = given.slice();
        given.fill(T::default());
        let mut end = 0;
        self.lines(&padded, |first, place, len| {
            given[place..place + len].copy_from_slice(&g[first..first + len]);
            end = place + len;
        });
        dispatch_v3!(|L| for (place, w) in self.places(&padded).into_iter().zip(w) {
            *w = w.plus(dot::<L, T>(&given[..end], &line[place..place + end]));
        });
        Ok(())
    }

    /// The padded input, and room to read beyond its end.
    fn long<T: Product>(&self, x: &[T], padded: &Layout) -> Result<Output<T>> {
        let mut line = Output::<T>::new(padded.shape.numel() + HELD)?;
        line.slice().fill(T::default());
        self.pad(x, padded, line.slice());
        Ok(line)
    }

    /// Puts what a filter gives to `y`, where windows step by one.
    fn dense<T: Product>(
        &self,
        x: &[T],
        w: impl Iterator<Item = T>,
        y: &mut [T],
        put: impl Fn(&mut T, T),
    ) -> Result<()> {
        let padded = Layout::contiguous(self.padded());
        let taps: Vec<(usize, T)> = self.places(&padded).into_iter().zip(w).collect();
        // what follows the end is read, but falls between two lines
        let mut line = self.long(x, &padded)?;
        let line = line.slice();
        let mut sums = Output::<T>::new(padded.shape.numel().next_multiple_of(HELD))?;
        let (blocks, _) = sums.slice().as_chunks_mut::<HELD>();
        dispatch_v3!(|L| for (block, sums) in blocks.iter_mut().enumerate() {
            let mut held = [T::default(); HELD];
            for &(place, w) in &taps {
                if let Some(x) = line.get(block * HELD + place..).and_then(|x| x.first_chunk::<HELD>()) {
                    held.iter_mut().zip(x).for_each(|(sum, x)| *sum = sum.plus_product::<L>(w, *x));
                }
            }
            *sums = held;
        });
        let sums = sums.slice();
        self.lines(&padded, |first, place, len| {
            y[first..first + len].iter_mut().zip(&sums[place..]).for_each(|(y, sum)| put(y, *sum));
        });
        Ok(())
    }
}
