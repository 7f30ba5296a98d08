//! One discrete Fourier transform along one axis, as a fused operation on rows.
use super::{FftNorm, Kind};
use crate::{Backend, Error, Fused, Op, PadAxis, Padding, Result, Scalar, Shape, Tensor};
use smallvec::smallvec;

impl<B: Backend> Tensor<B> {
    /// The transform along an axis, which is of `n` numbers where it is whole: half of the frequencies are of `n` real ones.
    #[track_caller]
    pub(super) fn spectrum(
        &self,
        op: &'static str,
        axis: usize,
        n: usize,
        kind: Kind,
        norm: FftNorm,
    ) -> Result<Self> {
        if n == 0 {
            let why = format!("there is nothing to transform along dim {axis} of {}", self.shape());
            return Err(Error::shape(op, why));
        }
        let scale = |way| norm.scale(way, n);
        // with how many numbers of a row go in, and how many dims these have
        let (fused, len, dims) = match kind {
            Kind::Complex(way) => (Fused::Fft { way, scale: scale(way) }, n, 2),
            Kind::FromReal(way) => (Fused::Rfft { way, scale: scale(way) }, n, 1),
            Kind::ToReal(way) => (Fused::Irfft { way, n, scale: scale(way) }, n / 2 + 1, 2),
        };
        let place = self.rank() - dims;
        let x = self.resized(axis, len)?.movedim(axis as isize, place as isize)?;
        let (lead, row) = x.shape().split_at(place);
        let count = x.numel() / row.iter().product::<usize>();
        let rows = x.reshape([count].iter().chain(row).copied().collect::<Shape>())?;
        let y = Self::one(Op::Fused(fused, smallvec![&rows]))?;
        let shape: Shape = lead.iter().chain(&y.shape()[1..]).copied().collect();
        y.shaped(shape)?.movedim(place as isize, axis as isize)
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
