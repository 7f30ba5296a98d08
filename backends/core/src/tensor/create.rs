//! Tensors made from nothing: of given numbers, of one number, of numbers in a row.
use crate::{
    Backend, DType, Data, Error, Op, Result, Scalar, Shape, Span, Tensor, TensorData, TensorOptions, ToData,
};
use smallvec::smallvec;
use std::ops::Range;

impl<B: Backend> Tensor<B> {
    /// A tensor of these numbers. As in `torch.tensor`, real literals are F32 and whole ones I64, unless
    /// the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.tensor.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]], &Cpu::default())?;
    /// assert_eq!((x.shape().to_string(), x.dtype()), ("[2, 3]".into(), DType::I64));
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn new(data: impl ToData, options: impl TensorOptions<B>) -> Result<Self> {
        let (dtype, backend) = options.options();
        let data = data.to_data()?;
        let literal = match data.dtype() {
            DType::F64 => DType::F32,
            DType::I32 => DType::I64,
            exact => exact,
        };
        let data = data.cast(dtype.unwrap_or(literal));
        Ok(Self::from_value(backend.clone(), backend.upload(data)?))
    }

    /// A tensor of exactly this data, with its shape and dtype.
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// use firesteel::{Data, TensorData};
    /// let data = TensorData::new([1, 2], Data::U8(vec![1, 2]))?;
    /// assert_eq!(Tensor::from_data(data, &Cpu::default())?.dtype(), DType::U8);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn from_data(data: TensorData, backend: &B) -> Result<Self> {
        Ok(Self::from_value(backend.clone(), backend.upload(data)?))
    }

    /// One number everywhere; it takes no memory until it is written to. The dtype is the number's (F32, I64
    /// or Bool) unless the options name one.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.full.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::full([2], 7, &Cpu::default())?.to_vec::<i64>()?, [7, 7]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn full(
        shape: impl Into<Shape>,
        value: impl Into<Scalar>,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let ((dtype, backend), value) = (options.options(), value.into());
        Self::make(backend, Op::Full(value, shape.into(), dtype.unwrap_or(value.dtype())))
    }

    /// Zeros, F32 unless the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.zeros.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::zeros([2], &Cpu::default())?.to_vec::<f32>()?, [0., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>, options: impl TensorOptions<B>) -> Result<Self> {
        Self::full(shape, 0.0, options)
    }

    /// Ones, F32 unless the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.ones.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::ones([2], &Cpu::default())?.to_vec::<f32>()?, [1., 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>, options: impl TensorOptions<B>) -> Result<Self> {
        Self::full(shape, 1.0, options)
    }

    /// A tensor to be filled. Memory that nobody wrote is never shown: it holds zeros, and as those take no
    /// memory, it costs no more than PyTorch's.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.empty.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::empty([2, 3], &Cpu::default())?.numel(), 6);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn empty(shape: impl Into<Shape>, options: impl TensorOptions<B>) -> Result<Self> {
        Self::zeros(shape, options)
    }

    /// One number everywhere, with the shape, dtype and device of this tensor.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.full_like.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(x.full_like(7)?.to_vec::<i64>()?, [7, 7]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn full_like(&self, value: impl Into<Scalar>) -> Result<Self> {
        self.new_full(self.shape(), value)
    }

    /// One number everywhere, with the dtype and device of this tensor.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.Tensor.new_full.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new(1, &Cpu::default())?;
    /// assert_eq!(x.new_full(2, 7)?.to_vec::<i64>()?, [7, 7]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn new_full(&self, shape: impl Into<Shape>, value: impl Into<Scalar>) -> Result<Self> {
        Self::make(self.backend(), Op::Full(value.into(), shape.into(), self.dtype()))
    }

    /// Zeros, with the shape, dtype and device of this tensor.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.zeros_like.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(x.zeros_like()?.to_vec::<i64>()?, [0, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn zeros_like(&self) -> Result<Self> {
        self.full_like(0)
    }

    /// Zeros, with the dtype and device of this tensor.
    /// <https://docs.pytorch.Tensor.org/docs/stable/generated/torch.Tensor.new_zeros.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new(7, &Cpu::default())?;
    /// assert_eq!(x.new_zeros(2)?.to_vec::<i64>()?, [0, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn new_zeros(&self, shape: impl Into<Shape>) -> Result<Self> {
        self.new_full(shape, 0)
    }

    /// Ones, with the shape, dtype and device of this tensor.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.ones_like.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(x.ones_like()?.to_vec::<i64>()?, [1, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn ones_like(&self) -> Result<Self> {
        self.full_like(1)
    }

    /// Ones, with the dtype and device of this tensor.
    /// <https://docs.pytorch.Tensor.org/docs/stable/generated/torch.Tensor.new_ones.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new(7, &Cpu::default())?;
    /// assert_eq!(x.new_ones(2)?.to_vec::<i64>()?, [1, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn new_ones(&self, shape: impl Into<Shape>) -> Result<Self> {
        self.new_full(shape, 1)
    }

    /// A tensor to be filled (of zeros, as [`empty`](Self::empty)), with the shape, dtype and device of this tensor.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.empty_like.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new([1, 2], &Cpu::default())?;
    /// assert_eq!(x.empty_like()?.to_vec::<i64>()?, [0, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn empty_like(&self) -> Result<Self> {
        self.full_like(0)
    }

    /// A tensor to be filled (of zeros, as [`empty`](Self::empty)), with the dtype and device of this tensor.
    /// <https://docs.pytorch.Tensor.org/docs/stable/generated/torch.Tensor.new_empty.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::new(7, &Cpu::default())?;
    /// assert_eq!(x.new_empty(2)?.to_vec::<i64>()?, [0, 0]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn new_empty(&self, shape: impl Into<Shape>) -> Result<Self> {
        self.new_full(shape, 0)
    }

    /// `start, start + 1, ..` up to but without `end`: I64 of whole numbers, F32 of real ones, unless the
    /// options name a dtype. <https://docs.pytorch.org/docs/stable/generated/torch.arange.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::arange(2..5, &Cpu::default())?.to_vec::<i64>()?, [2, 3, 4]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn arange(range: Range<impl Into<Scalar>>, options: impl TensorOptions<B>) -> Result<Self> {
        Self::arange_step(range, 1, options)
    }

    /// `start, start + step, ..` up to but without `end`; a negative step goes down.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.arange.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let cpu = Cpu::default();
    /// assert_eq!(Tensor::arange_step(5..0, -2, &cpu)?.to_vec::<i64>()?, [5, 3, 1]);
    /// assert_eq!(Tensor::arange_step(0.0..1.0, 0.25, &cpu)?.to_vec::<f32>()?, [0., 0.25, 0.5, 0.75]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn arange_step(
        range: Range<impl Into<Scalar>>,
        step: impl Into<Scalar>,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let (start, end, step) = (range.start.into(), range.end.into(), step.into());
        let (dtype, backend) = options.options();
        let whole = [start, end, step].iter().all(|x| x.dtype() != DType::F32);
        let dtype = dtype.unwrap_or(if whole { DType::I64 } else { DType::F32 });
        let len = if whole {
            let [start, end, step] = [start, end, step].map(|x| i128::from(x.to_i64()));
            let way = (end - start) * step.signum();
            (step != 0).then(|| (way + step.abs() - 1).div_euclid(step.abs()))
        } else {
            let n = ((end.to_f64() - start.to_f64()) / step.to_f64()).ceil();
            n.is_finite().then_some(n as i128)
        };
        match len.map(usize::try_from) {
            Some(Ok(len)) => Self::make(backend, Op::Arange { start, step, len, dtype }),
            _ => {
                let why = format!("there is no way from {start} to {end} in steps of {step}");
                Err(Error::value("arange", why))
            }
        }
    }

    /// `steps` numbers from `start` to `end`, both included, evenly apart; F32 unless the options name a dtype.
    /// <https://docs.pytorch.org/docs/stable/generated/torch.linspace.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::linspace(0, 1, 5, &Cpu::default())?.to_vec::<f32>()?, [0., 0.25, 0.5, 0.75, 1.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn linspace(
        start: impl Into<Scalar>,
        end: impl Into<Scalar>,
        steps: usize,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let (dtype, backend) = options.options();
        let dtype = dtype.unwrap_or(DType::F32);
        let [start, end] = [start.into(), end.into()].map(|x| x.round_to(dtype).to_f64());
        let step = (end - start) / steps.saturating_sub(1).max(1) as f64;
        // each half is counted from its own end, so that both ends are exact
        let half = |from: f64, step: f64, len: usize| {
            Self::make(backend, Op::Arange { start: from.into(), step: step.into(), len, dtype })
        };
        let (first, last) = (half(start, step, steps.div_ceil(2))?, half(end, -step, steps / 2)?);
        let last = last.span(0, Span { start: (steps / 2).saturating_sub(1), step: -1, len: steps / 2 })?;
        Self::one(Op::Concat(smallvec![&first, &last], 0))
    }

    /// `steps` numbers from `baseˢᵗᵃʳᵗ` to `baseᵉⁿᵈ`, evenly apart on a logarithmic scale; F32 unless the
    /// options name a dtype. <https://docs.pytorch.org/docs/stable/generated/torch.logspace.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::logspace(0, 3, 4, 2.0, &Cpu::default())?.to_vec::<f32>()?, [1., 2., 4., 8.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn logspace(
        start: impl Into<Scalar>,
        end: impl Into<Scalar>,
        steps: usize,
        base: f64,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let (dtype, backend) = options.options();
        let dtype = dtype.unwrap_or(DType::F32);
        let [start, end] = [start.into(), end.into()].map(|x| x.round_to(dtype));
        if dtype.is_float() {
            let precise = if dtype.is_half() { DType::F32 } else { dtype };
            return Self::linspace(start, end, steps, (precise, backend))?.rpow(base)?.to(dtype);
        }
        // of whole numbers each has to be exact, so the host makes them in F64, which not every device has
        let one = Self::zeros((), (dtype, backend))?;
        one.claim(steps)?;
        let [start, end] = [start, end].map(Scalar::to_f64);
        let step = (end - start) / steps.saturating_sub(1).max(1) as f64;
        Self::constant(&one, (0..steps).map(|i| base.powf(start + step * i as f64)).collect())
    }

    /// Ones on the diagonal of a matrix, `n` for a square one or `[rows, columns]`; F32 unless the options
    /// name a dtype. <https://docs.pytorch.org/docs/stable/generated/torch.eye.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// assert_eq!(Tensor::eye(2, &Cpu::default())?.to_vec::<f32>()?, [1., 0., 0., 1.]);
    /// assert_eq!(Tensor::eye([1, 2], &Cpu::default())?.to_vec::<f32>()?, [1., 0.]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn eye(shape: impl Into<Shape>, options: impl TensorOptions<B>) -> Result<Self> {
        let shape = shape.into();
        let (rows, columns) = match shape[..] {
            [n] => (n, n),
            [rows, columns] => (rows, columns),
            _ => return Err(Error::shape("eye", format!("{shape} is not the shape of a matrix"))),
        };
        let (dtype, backend) = options.options();
        let count =
            |len| Self::make(backend, Op::Arange { start: 0.into(), step: 1.into(), len, dtype: DType::I64 });
        count(rows)?.reshape([rows, 1])?.eq(&count(columns)?)?.to(dtype.unwrap_or(DType::F32))
    }

    /// The rows and columns of what lies on and below the diagonal `offset` of a matrix, in row-major order:
    /// I64 `(2, n)`. <https://docs.pytorch.org/docs/stable/generated/torch.tril_indices.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::tril_indices(2, 2, 0, &Cpu::default())?;
    /// assert_eq!(x.to_vec::<i64>()?, [0, 1, 1, 0, 0, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn tril_indices(
        rows: usize,
        columns: usize,
        offset: i64,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let columns = columns as i128;
        let end = |row: i128| (row + i128::from(offset) + 1).clamp(0, columns);
        let first = if columns == 0 { rows as i128 } else { -i128::from(offset) };
        Self::triangle_places("tril_indices", first..rows as i128, |row| 0..end(row), options)
    }

    /// The rows and columns of what lies on and above the diagonal `offset` of a matrix, in row-major order:
    /// I64 `(2, n)`. <https://docs.pytorch.org/docs/stable/generated/torch.triu_indices.html>
    ///
    /// ```
    /// use firesteel::prelude::*;
    /// let x = Tensor::triu_indices(2, 2, 0, &Cpu::default())?;
    /// assert_eq!(x.to_vec::<i64>()?, [0, 0, 1, 0, 1, 1]);
    /// # Ok::<(), firesteel::Error>(())
    /// ```
    #[track_caller]
    pub fn triu_indices(
        rows: usize,
        columns: usize,
        offset: i64,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let columns = columns as i128;
        let start = |row: i128| (row + i128::from(offset)).max(0);
        let end = columns.saturating_sub(offset.into()).min(rows as i128);
        Self::triangle_places("triu_indices", 0..end, |row| start(row)..columns, options)
    }

    /// The places of the columns that `span` names in each of the rows, of which none is without.
    #[track_caller]
    fn triangle_places(
        name: &'static str,
        rows: Range<i128>,
        span: impl Fn(i128) -> Range<i128>,
        options: impl TensorOptions<B>,
    ) -> Result<Self> {
        let (dtype, backend) = options.options();
        let rows = || rows.start.max(0)..rows.end;
        let mut indices = vec![];
        let mut room = |n: i128| usize::try_from(n).is_ok_and(|n| indices.try_reserve_exact(n).is_ok());
        // each row has a place or more, and rows beyond all memory are not even counted
        if !room(2 * (rows().end - rows().start).max(0))
            || !room(2 * rows().map(|row| span(row).end - span(row).start).sum::<i128>())
        {
            return Err(Error::memory(name, "the indices are too many to hold"));
        }
        let places = || rows().flat_map(|row| span(row).map(move |column| (row as i64, column as i64)));
        indices.extend(places().map(|(row, _)| row));
        indices.extend(places().map(|(_, column)| column));
        let data = TensorData::new([2, indices.len() / 2], Data::I64(indices))?;
        Self::from_data(data.cast(dtype.unwrap_or(DType::I64)), backend)
    }
}
