//! What users hold: a value and the backend that it lives on. Broadcasts, promotions and scalars end here.
mod activation;
mod arg;
mod attention;
mod bins;
mod broadcast;
mod calculus;
mod classes;
mod combine;
mod compare;
mod constant;
mod conv;
mod convert;
mod create;
mod ctc;
mod diag;
mod display;
mod distance;
mod dropout;
mod einsum;
mod elementwise;
mod embedding;
mod fft;
mod fractional_pool;
mod gather;
mod grad;
mod grid;
mod index;
mod interpolate;
mod iter;
mod join;
mod linalg;
mod loss;
mod mask;
mod matmul;
#[cfg(feature = "ndarray")]
mod ndarray;
mod norm;
mod nuclear;
mod operators;
mod order;
mod pad;
mod per_dim;
mod pick;
mod pool;
mod quantile;
mod random;
mod range;
mod reduce;
mod repeat;
mod running;
mod scan;
mod slice;
mod softmax;
mod sort;
mod special;
mod split;
mod statistics;
mod unique;
mod view;
mod vision;
mod window;

pub use activation::{Gelu, RreluOptions};
pub use arg::{Arg, Target, TensorOptions, ToData};
pub use attention::{AttentionOptions, InProjection, MultiHeadAttentionOptions};
pub use bins::{Bins, HistogramOptions};
pub use broadcast::broadcast_shapes;
pub use calculus::{EdgeOrder, Spacing};
pub use classes::{
    CrossEntropyOptions, MultiMarginLossOptions, MultilabelSoftMarginLossOptions, NllLossOptions,
};
pub use compare::Tolerance;
pub use conv::{ConvOptions, ConvPadding, ConvTransposeOptions};
pub use ctc::CtcLossOptions;
pub use distance::{CosineSimilarityOptions, NormalizeOptions, PairwiseDistanceOptions};
pub use dropout::DropoutOptions;
pub use elementwise::{NanToNumOptions, RoundingMode};
pub use embedding::{BagMode, EmbeddingBagOptions, EmbeddingOptions};
pub use fft::{FftNorm, FftOptions, FftnOptions, IstftOptions, StftOptions};
pub use gather::ScatterReduce;
pub use grad::backward_all;
pub use grid::{GridMode, GridPadding, GridSampleOptions};
pub use index::{Accumulate, Index, Indices};
pub use interpolate::{InterpolateMode, InterpolateOptions, Resize};
pub use iter::Slices;
pub use join::Indexing;
pub use linalg::{Lstsq, MatrixNorm, PivotedLu, QrMode, Tolerances, Triangle};
pub use loss::{
    BinaryCrossEntropyOptions, BinaryCrossEntropyWithLogitsOptions, GaussianNllLossOptions,
    HingeEmbeddingLossOptions, HuberLossOptions, KlDivOptions, MarginLossOptions, PoissonNllLossOptions,
    Reduction, SmoothL1LossOptions, TripletMarginLossOptions,
};
pub use matmul::Factors;
pub use norm::{BatchNormOptions, InstanceNormOptions, LocalResponseNormOptions, Normalised, Running};
pub use pad::PadMode;
pub use per_dim::PerDim;
pub use pool::{AdaptiveSize, AvgPoolOptions, LpPoolOptions, MaxPoolOptions, MaxUnpoolOptions};
pub use quantile::Interpolation;
pub use random::{Replacement, manual_seed};
pub use range::{Slice, slice};
pub use scan::DiffOptions;
pub use softmax::GumbelSoftmaxOptions;
pub use sort::{Order, SearchOptions};
pub use split::Sections;
pub use statistics::CovOptions;
pub use unique::Unique;
pub use vision::PatchOptions;
pub use window::{Symmetry, Window};

use crate::{Backend, DType, Device, Error, Meta, Op, Operand, Outputs, Result, Shape, Update};
use smallvec::smallvec;
use std::panic::Location;

/// An array of numbers on a device, and on differentiating backends its history.
///
/// ```
/// use firesteel::prelude::*;
/// let cpu = Cpu::default();
/// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]], &cpu)?;
/// assert_eq!((&x + 1.0)?.to_vec::<f32>()?, [2., 3., 4., 5.]);
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor<B: Backend> {
    backend: B,
    value: B::Value,
}

// ---- what is known without running anything
impl<B: Backend> Tensor<B> {
    /// A value and the backend that it lives on.
    pub fn from_value(backend: B, value: B::Value) -> Self {
        Self { backend, value }
    }

    /// The backend that it lives on.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Kind and index of the device that it lives on.
    pub fn device(&self) -> Device {
        self.backend.device()
    }

    /// The value on the backend.
    pub fn value(&self) -> &B::Value {
        &self.value
    }

    /// The value on the backend, without the backend.
    pub fn into_value(self) -> B::Value {
        self.value
    }

    /// Shape and dtype.
    pub fn meta(&self) -> &Meta {
        B::meta(&self.value)
    }

    /// The sizes of the dims.
    pub fn shape(&self) -> &Shape {
        &self.meta().shape
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.meta().dtype
    }

    /// How many dims there are (PyTorch's `ndim`).
    pub fn rank(&self) -> usize {
        self.shape().rank()
    }

    /// How many elements there are.
    pub fn numel(&self) -> usize {
        self.shape().numel()
    }

    /// The size of a dim; negative numbers count from the end.
    #[track_caller]
    pub fn size(&self, dim: isize) -> Result<usize> {
        let axis = self.axis("size", dim)?;
        self.shape()
            .get(axis)
            .copied()
            .ok_or_else(|| Error::index("size", "a tensor without dims has no sizes"))
    }

    /// The axis that `dim` names, for an operation called `op`.
    #[track_caller]
    pub(crate) fn axis(&self, op: &'static str, dim: isize) -> Result<usize> {
        let here = Location::caller();
        self.shape().axis(op, dim).map_err(|e| e.at(here))
    }
}

// ---- the way to the backend
impl<B: Backend> Tensor<B> {
    /// Runs an operation on a device: without operands, or on values of that device.
    #[track_caller]
    pub fn make(backend: &B, op: Op<&B::Value>) -> Result<Self> {
        let here = Location::caller();
        let value = first(backend.run(op).map_err(|e| e.at(here))?)?;
        Ok(Self::from_value(backend.clone(), value))
    }

    /// Runs an operation on the device of its operands, which must agree.
    #[track_caller]
    pub fn apply(op: Op<&Self>) -> Result<Outputs<Self>> {
        let (backend, values) = Self::run(op)?;
        Ok(values.into_iter().map(|v| Self::from_value(backend.clone(), v)).collect())
    }

    /// [`apply`](Self::apply) for an operation with one result, or whose first result is wanted.
    #[track_caller]
    pub fn one(op: Op<&Self>) -> Result<Self> {
        let (backend, values) = Self::run(op)?;
        Ok(Self::from_value(backend.clone(), first(values)?))
    }

    /// The results of an operation, and the device of its operands, which must agree.
    #[track_caller]
    #[inline]
    fn run(op: Op<&Self>) -> Result<(&B, Outputs<B::Value>)> {
        let here = Location::caller();
        let (name, mut home) = (op.name(), None);
        let op = op.try_map(|t: &Self| {
            t.is_on(name, home.get_or_insert(t).device()).map_err(|e| e.at(here))?;
            Ok::<_, Error>(&t.value)
        })?;
        let backend = &home.ok_or_else(|| Error::value(name, "needs at least one tensor").at(here))?.backend;
        Ok((backend, backend.run(op).map_err(|e| e.at(here))?))
    }

    /// [`apply`](Self::apply) for an operation with two results.
    #[track_caller]
    pub fn two(op: Op<&Self>) -> Result<(Self, Self)> {
        let mut both = Self::apply(op)?.into_iter();
        match (both.next(), both.next()) {
            (Some(a), Some(b)) => Ok((a, b)),
            _ => Err(Error::internal("apply", "an operation gave fewer results than it has")),
        }
    }

    /// Replaces this tensor by the result of an operation, in its own memory where nobody else holds it.
    /// `Operand::Target(0)` is the tensor itself.
    #[track_caller]
    pub fn update(&mut self, op: Op<Operand<&Self>>) -> Result<()> {
        let op = op.map(|x| match x {
            Operand::Target(i) => Operand::Target(i),
            Operand::Value(t) => Operand::Value(t),
        });
        Self::update_all(vec![Update { targets: smallvec![self], op }])
    }

    /// Replaces the tensors of each update by the results of its operation, in order, in their own memory where nobody
    /// else holds it. All are on one device, which may run them at once.
    #[track_caller]
    pub fn update_all(updates: Vec<Update<'_, Self>>) -> Result<()> {
        let here = Location::caller();
        let Some(home) = updates.iter().find_map(|update| update.targets.first()) else {
            return Ok(());
        };
        let (backend, device) = (home.backend.clone(), home.device());
        let beneath = updates.into_iter().map(|update| Self::beneath(update, device));
        let beneath = beneath.collect::<Result<_>>().map_err(|e| e.at(here))?;
        backend.update(beneath).map_err(|e| e.at(here))
    }

    /// The update of the values, which has to name targets that are there, and tensors on this device.
    fn beneath(update: Update<'_, Self>, device: Device) -> Result<Update<'_, B::Value>> {
        let (name, count) = (update.op.name(), update.targets.len());
        let mut is_there = true;
        update.op.clone().each(|x| is_there &= !matches!(x, Operand::Target(i) if i >= count));
        if !is_there {
            return Err(Error::internal(name, "names a target that is not there"));
        }
        update.try_map(
            |target| target.is_on(name, device).map(|()| &mut target.value),
            |value| value.is_on(name, device).map(|()| &value.value),
        )
    }

    /// An error where the tensor is on another device than the others.
    fn is_on(&self, op: &'static str, device: Device) -> Result<()> {
        let here = self.device();
        if here == device {
            return Ok(());
        }
        Err(Error::device(op, format!("operands are on {device} and {here}: move one with `.to(&device)`")))
    }
}

fn first<T>(outputs: Outputs<T>) -> Result<T> {
    let first = match outputs.into_inner() {
        Ok([only]) => Some(only),
        Err(outputs) => outputs.into_iter().next(),
    };
    first.ok_or_else(|| Error::internal("apply", "an operation gave no result"))
}
