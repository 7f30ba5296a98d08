//! An index made into operations: first one slice, then one look-up along one axis.
//!
//! Axes that tensors index are brought together and seen as one, of which the tensors' indices, counted
//! row-major, name places. So one `IndexSelect` reads, one `IndexPut` writes, and both have a gradient.
use super::{Index, Indices};
use crate::{
    Axes, Backend, DType, Data, Error, Op, Result, Scatter, Shape, Slice, Span, Spans, Tensor, TensorData,
    tensor::slice::place,
};

/// How to find what an index names.
pub struct Plan<B: Backend> {
    /// The part that integers and ranges leave of each axis.
    pub spans: Spans,
    /// Whether that is all of each axis.
    pub is_whole: bool,
    /// The shape of that part without the axes of integers, with the new ones.
    seen: Shape,
    /// What tensors name in it.
    pub lookup: Option<Lookup<B>>,
}

/// Places along some axes of a tensor.
pub struct Lookup<B: Backend> {
    /// The axes in the order in which the indexed ones are neighbours.
    order: Axes,
    /// Their sizes: before the indexed ones, all of those as one, and after them.
    front: Shape,
    merged: usize,
    back: Shape,
    /// The places, of rank one, counted from 0 along the merged axis.
    pub index: Tensor<B>,
    /// The shape that they had.
    shape: Shape,
}

/// Tensors of indices beside the axes that they index: `axes` of them from `first`.
struct Given<B: Backend> {
    first: usize,
    axes: usize,
    index: Tensor<B>,
}

impl<B: Backend> Plan<B> {
    pub fn new(x: &Tensor<B>, indices: Indices<B>) -> Result<Self> {
        let indices = complete(x, indices.0)?;
        let (mut spans, mut seen, mut given) = (Spans::new(), Shape::scalar(), vec![]);
        for index in indices {
            let size = x.shape().get(spans.len()).copied().unwrap_or(0);
            match index {
                Index::At(i) => spans.push(Span { start: place("index", size, i)?, step: 1, len: 1 }),
                Index::Slice(slice) => {
                    let span = slice.span("index", size)?;
                    seen.push(span.len);
                    spans.push(span);
                }
                Index::NewAxis | Index::Ellipsis => seen.push(1),
                Index::List(list) => {
                    let list = TensorData::new(list.len(), Data::I64(list))?;
                    let index = wrapped(&Tensor::from_data(list, x.backend())?, size)?;
                    given.push(Given { first: seen.rank(), axes: 1, index });
                    seen.push(size);
                    spans.push(Span::all(size));
                }
                Index::Tensor(mask) if mask.dtype() == DType::Bool => {
                    let (first, axes) = (seen.rank(), mask.rank().max(1));
                    // a mask without dims says whether to take a new one
                    let sizes = if mask.rank() == 0 { &[1][..] } else { masked(x, spans.len(), &mask)? };
                    sizes.iter().for_each(|&size| seen.push(size));
                    if mask.rank() > 0 {
                        spans.extend(sizes.iter().map(|&size| Span::all(size)));
                    }
                    given.push(Given { first, axes, index: mask.places()? });
                }
                Index::Tensor(index) => {
                    given.push(Given { first: seen.rank(), axes: 1, index: wrapped(&index, size)? });
                    seen.push(size);
                    spans.push(Span::all(size));
                }
            }
        }
        let is_whole = spans.iter().zip(x.shape()).all(|(span, &size)| *span == Span::all(size));
        let lookup = if given.is_empty() { None } else { Some(Lookup::new(&seen, &given)?) };
        Ok(Self { spans, is_whole, seen, lookup })
    }

    /// What integers, ranges and new axes leave to see.
    #[track_caller]
    pub fn view(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let part = if self.is_whole { x.clone() } else { Tensor::one(Op::Slice(x, self.spans.clone()))? };
        part.shaped(self.seen.clone())
    }

    /// The shape of the part before axes went or came.
    pub fn part(&self) -> Shape {
        self.spans.iter().map(|span| span.len).collect()
    }
}

impl<B: Backend> Lookup<B> {
    fn new(seen: &Shape, given: &[Given<B>]) -> Result<Self> {
        let indexed: Axes = given.iter().flat_map(|g| g.first..g.first + g.axes).collect();
        let kept: Axes = (0..seen.rank()).filter(|axis| !indexed.contains(axis)).collect();
        let before = kept.iter().filter(|&&axis| axis < anchor(given, &kept)).count();
        let sizes = |axes: &[usize]| axes.iter().map(|&axis| seen[axis]).collect::<Shape>();
        let merged = sizes(&indexed).numel();
        let (index, shape) =
            flat_index(given, |g| sizes(&(g.first..g.first + g.axes).collect::<Axes>()), merged)?;
        Ok(Self {
            order: kept[..before].iter().chain(&indexed).chain(&kept[before..]).copied().collect(),
            front: sizes(&kept[..before]),
            merged,
            back: sizes(&kept[before..]),
            index,
            shape,
        })
    }

    /// The axis along which it looks.
    pub fn axis(&self) -> usize {
        self.front.rank()
    }

    /// The shape in which it looks.
    pub fn flat(&self) -> Shape {
        self.around(&[self.merged])
    }

    /// The shape of what it finds, before the places get their own.
    pub fn found(&self) -> Shape {
        self.around(&[self.index.numel()])
    }

    /// The shape of the result.
    pub fn result(&self) -> Shape {
        self.around(&self.shape)
    }

    fn around(&self, middle: &[usize]) -> Shape {
        self.front.iter().chain(middle).chain(&self.back).copied().collect()
    }

    /// The elements at the places.
    #[track_caller]
    pub fn read(&self, x: &Tensor<B>) -> Result<Tensor<B>> {
        let x = x.ordered(self.order.clone())?.shaped(self.flat())?;
        Tensor::one(Op::IndexSelect { x: &x, index: &self.index, axis: self.axis() })?.shaped(self.result())
    }

    /// `x` with values of the result's shape joined at the places.
    #[track_caller]
    pub fn written(&self, x: &Tensor<B>, values: &Tensor<B>, kind: Scatter) -> Result<Tensor<B>> {
        let ordered = x.ordered(self.order.clone())?;
        let (into, values) = (ordered.shaped(self.flat())?, values.shaped(self.found())?);
        let put = Op::IndexPut { kind, into: &into, index: &self.index, x: &values, axis: self.axis() };
        let mut back: Axes = smallvec::smallvec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(now, &then)| back[then] = now);
        Tensor::one(put)?.shaped(ordered.shape().clone())?.ordered(back)
    }
}

/// The indices with the ellipsis written out, so that each dim has one.
fn complete<B: Backend>(x: &Tensor<B>, mut indices: Vec<Index<B>>) -> Result<Vec<Index<B>>> {
    let takes = |index: &Index<B>| match index {
        Index::NewAxis | Index::Ellipsis => 0,
        Index::Tensor(mask) if mask.dtype() == DType::Bool => mask.rank(),
        Index::At(_) | Index::Slice(_) | Index::List(_) | Index::Tensor(_) => 1,
    };
    let taken: usize = indices.iter().map(takes).sum();
    let Some(left) = x.rank().checked_sub(taken) else {
        return Err(Error::index("index", format!("{taken} indices are too many for {}", x.shape())));
    };
    let mut dots = indices.iter().enumerate().filter(|(_, index)| matches!(index, Index::Ellipsis));
    let (first, second) = (dots.next().map(|(i, _)| i), dots.next().is_some());
    if second {
        return Err(Error::index("index", "there can be one ellipsis only"));
    }
    let rest = std::iter::repeat_n(Index::Slice(Slice::from(..)), left);
    match first {
        Some(i) => drop(indices.splice(i..=i, rest)),
        None => indices.extend(rest),
    }
    Ok(indices)
}

/// The sizes of the axes that a mask covers, which have to be its own.
fn masked<'a, B: Backend>(x: &'a Tensor<B>, first: usize, mask: &Tensor<B>) -> Result<&'a [usize]> {
    let sizes = x.shape().get(first..first + mask.rank()).unwrap_or_default();
    if *mask.shape() == *sizes {
        return Ok(sizes);
    }
    let why = format!("a mask {} does not fit dim {first} and on of {}", mask.shape(), x.shape());
    Err(Error::index("index", why))
}

/// Indices counted from the start, checked to be inside.
fn wrapped<B: Backend>(index: &Tensor<B>, size: usize) -> Result<Tensor<B>> {
    // eight bits may not hold what -1 stands for
    let index = if index.dtype() == DType::I8 { index.to(DType::I32)? } else { index.clone() };
    Tensor::one(Op::WrapIndex(&index, size))
}

/// Before which axis the result of a look-up goes: that of the first tensor where all are neighbours, else 0.
/// Tensors without dims count as integers do, which have no say.
fn anchor<B: Backend>(given: &[Given<B>], kept: &Axes) -> usize {
    let mut voters = given.iter().filter(|g| g.index.rank() > 0);
    let (first, last) = (voters.next(), voters.last());
    match (first, last) {
        (None, _) => given.first().map_or(0, |g| g.first),
        (Some(first), None) => first.first,
        (Some(first), Some(last)) => {
            let apart = kept.iter().any(|axis| (first.first..last.first).contains(axis));
            if apart { 0 } else { first.first }
        }
    }
}

/// All indices as one, into all axes as one, row-major; and the shape to which they broadcast.
fn flat_index<B: Backend>(
    given: &[Given<B>],
    sizes: impl Fn(&Given<B>) -> Shape,
    merged: usize,
) -> Result<(Tensor<B>, Shape)> {
    if let [only] = given {
        return Ok((only.index.ravel()?, only.index.shape().clone()));
    }
    let narrow = given.iter().map(|g| g.index.dtype()).reduce(DType::promote).unwrap_or(DType::I64);
    let dtype = match narrow {
        DType::I8 | DType::U8 | DType::I32 if i32::try_from(merged).is_ok() => DType::I32,
        _ => DType::I64,
    };
    let (mut total, mut stride) = (None::<Tensor<B>>, 1usize);
    for g in given.iter().rev() {
        let step = Tensor::full((), crate::Scalar::from(stride), (dtype, g.index.backend()))?;
        let part = if stride == 1 { g.index.to(dtype)? } else { g.index.to(dtype)?.mul(&step)? };
        total = Some(match total {
            Some(total) => total.add(&part).map_err(|e| e.within("index"))?,
            None => part,
        });
        stride = stride.saturating_mul(sizes(g).numel());
    }
    let total = total.ok_or_else(|| Error::internal("index", "nothing to look up"))?;
    Ok((total.ravel()?, total.shape().clone()))
}
