//! One discrete Fourier transform along one axis, as a fused operation on rows.
use crate::{Backend, Error, FftWay, Fused, Op, PadAxis, Padding, Result, Scalar, Shape, Tensor};
use smallvec::smallvec;

impl<B: Backend> Tensor<B> {
    /// The transform of `n` complex numbers along an axis, times `scale`.
    #[track_caller]
    pub(super) fn spectrum(
        &self,
        op: &'static str,
        axis: usize,
        n: usize,
        way: FftWay,
        scale: f64,
    ) -> Result<Self> {
        self.some(op, axis, n)?;
        let last = self.resized(axis, n)?.movedim(axis as isize, -2)?;
        let shape = last.shape().clone();
        let rows = last.reshape([shape.numel() / (2 * n), n, 2])?;
        let y = Self::one(Op::Fused(Fused::Fft { way, scale }, smallvec![&rows]))?;
        y.shaped(shape)?.movedim(-2, axis as isize)
    }

    /// The first `n/2 + 1` numbers of the transform of `n` real ones along an axis, times `scale`.
    #[track_caller]
    pub(super) fn half_spectrum(
        &self,
        op: &'static str,
        axis: usize,
        n: usize,
        way: FftWay,
        scale: f64,
    ) -> Result<Self> {
        self.some(op, axis, n)?;
        let last = self.resized(axis, n)?.movedim(axis as isize, -1)?;
        let lead = &last.shape()[..self.rank() - 1];
        let shape: Shape = lead.iter().copied().chain([n / 2 + 1, 2]).collect();
        let rows = last.reshape([last.numel() / n, n])?;
        let y = Self::one(Op::Fused(Fused::Rfft { way, scale }, smallvec![&rows]))?;
        y.shaped(shape)?.movedim(-2, axis as isize)
    }

    /// The transform of `n` complex numbers along an axis, times `scale`, where it is real: of the first `n/2 + 1`, which are
    /// the conjugates of the rest.
    #[track_caller]
    pub(super) fn real_spectrum(
        &self,
        op: &'static str,
        axis: usize,
        n: usize,
        way: FftWay,
        scale: f64,
    ) -> Result<Self> {
        self.some(op, axis, n)?;
        let last = self.resized(axis, n / 2 + 1)?.movedim(axis as isize, -2)?;
        let lead = &last.shape()[..self.rank() - 2];
        let shape: Shape = lead.iter().copied().chain([n]).collect();
        let rows = last.reshape([last.numel() / (n / 2 + 1) / 2, n / 2 + 1, 2])?;
        let y = Self::one(Op::Fused(Fused::Irfft { way, n, scale }, smallvec![&rows]))?;
        y.shaped(shape)?.movedim(-1, axis as isize)
    }

    /// Refuses to transform what is nothing.
    #[track_caller]
    fn some(&self, op: &'static str, axis: usize, n: usize) -> Result<()> {
        if n == 0 {
            let why = format!("there is nothing to transform along dim {axis} of {}", self.shape());
            return Err(Error::shape(op, why));
        }
        Ok(())
    }

    /// `n` elements along an axis: cut, or zeros after them.
    #[track_caller]
    pub(crate) fn resized(&self, axis: usize, n: usize) -> Result<Self> {
        let have = self.shape()[axis];
        if have >= n {
            return self.narrow(axis as isize, 0, n);
        }
        let mut padding: Padding = smallvec![PadAxis::default(); self.rank()];
        padding[axis].high = n - have;
        Self::one(Op::Pad(self, padding, Scalar::Int(0)))
    }
}
