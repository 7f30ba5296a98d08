//! Diagonals and triangles of matrices.
use crate::{Backend, Compare, Error, Op, PadAxis, Padding, Result, Scalar, Shape, Tensor};

impl<B: Backend> Tensor<B> {
    /// Of a vector the square matrix with it on a diagonal, of a matrix that diagonal; `offset` 0 is the main
    /// one, 1 the next above.
    /// [`torch.diag`](https://docs.pytorch.org/docs/stable/generated/torch.diag.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(x.diag(0)?.to_vec::<i64>()?, [1, 0, 0, 2]);
    /// assert_eq!(x.diag(0)?.diag(0)?.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn diag(&self, offset: isize) -> Result<Self> {
        match self.rank() {
            1 => self.diag_embed(offset, 0, 1),
            2 => self.diagonal(offset, 0, 1),
            _ => Err(Error::shape("diag", format!("{} is neither a vector nor a matrix", self.shape()))),
        }
    }

    /// The square matrix with all elements, row-major, on a diagonal.
    /// [`torch.diagflat`](https://docs.pytorch.org/docs/stable/generated/torch.diagflat.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1], [2]], &Cpu::default())?;
    /// assert_eq!(x.diagflat(0)?.to_vec::<i64>()?, [1, 0, 0, 2]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn diagflat(&self, offset: isize) -> Result<Self> {
        self.ravel()?.diag_embed(offset, 0, 1)
    }

    /// Square matrices in the dims `dim1` and `dim2` of the result, with the last dim of this tensor on their
    /// diagonals and zeros elsewhere.
    /// [`torch.diag_embed`](https://docs.pytorch.org/docs/stable/generated/torch.diag_embed.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.diag_embed(0, -2, -1)?.to_vec::<i64>()?, [1, 0, 0, 2, 3, 0, 0, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn diag_embed(&self, offset: isize, dim1: isize, dim2: isize) -> Result<Self> {
        let Some((&len, batch)) = self.shape().split_last() else {
            return Err(Error::shape("diag_embed", "a single number has no dim to put on a diagonal"));
        };
        let size = len.saturating_add(offset.unsigned_abs());
        let flat = size.saturating_mul(size);
        let sizes = |last: &[usize]| batch.iter().chain(last).copied().collect::<Shape>();
        if len == 0 || flat == usize::MAX {
            let square = sizes(&[size, size]);
            return Self::make(self.backend(), Op::Full(Scalar::Int(0), square, self.dtype()))?
                .movedim([-2, -1], [dim1, dim2]);
        }
        // row-major, neighbours on the diagonal lie one row and one element apart
        let low = if offset < 0 { offset.unsigned_abs() * size } else { offset as usize };
        let high = flat - low - ((len - 1) * (size + 1) + 1);
        let mut padding: Padding = smallvec::smallvec![PadAxis::default(); batch.len()];
        padding.push(PadAxis { low, high, interior: size });
        Self::one(Op::Pad(self, padding, Scalar::Int(0)))?
            .shaped(sizes(&[size, size]))?
            .movedim([-2, -1], [dim1, dim2])
    }

    /// Zeros above a diagonal of each matrix; `diagonal` 0 is the main one, 1 the next above.
    /// [`torch.tril`](https://docs.pytorch.org/docs/stable/generated/torch.tril.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.tril(0)?.to_vec::<i64>()?, [1, 0, 3, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn tril(&self, diagonal: i64) -> Result<Self> {
        self.triangle("tril", Compare::Le, diagonal)
    }

    /// Zeros below a diagonal of each matrix; `diagonal` 0 is the main one, 1 the next above.
    /// [`torch.triu`](https://docs.pytorch.org/docs/stable/generated/torch.triu.html)
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2], [3, 4]], &Cpu::default())?;
    /// assert_eq!(x.triu(0)?.to_vec::<i64>()?, [1, 2, 0, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn triu(&self, diagonal: i64) -> Result<Self> {
        self.triangle("triu", Compare::Ge, diagonal)
    }

    /// What stays where `column - row ∘ diagonal`, and zeros elsewhere.
    #[track_caller]
    fn triangle(&self, op: &'static str, keep: Compare, diagonal: i64) -> Result<Self> {
        let [.., rows, columns] = self.shape()[..] else {
            return Err(Error::shape(op, format!("needs two dims or more, not {}", self.shape())));
        };
        // a diagonal beyond the matrix keeps all or nothing, wherever it is
        let bound = |n: usize| i32::try_from(n).unwrap_or(i32::MAX) as i64;
        let first = diagonal.clamp(-bound(rows), bound(columns));
        let count = |start: i64, len: usize| {
            let (start, step, dtype) = (Scalar::Int(start), Scalar::Int(1), crate::DType::I32);
            Self::make(self.backend(), Op::Arange { start, step, len, dtype })
        };
        let square = Shape::from([rows, columns]);
        let row = count(first, rows)?.unsqueeze(1)?.broadcast_to(&square)?;
        let column = count(0, columns)?.broadcast_to(&square)?;
        let kept = Self::one(Op::Compare(keep, &column, &row))?.broadcast_to(self.shape())?;
        Self::one(Op::Select(&kept, self, &self.zeros_like()?))
    }
}
