//! The contract between operations and what runs them.
use crate::{Generator, Meta, Metas, Op, Outputs, Result, TensorData, decompose, infer};
use smallvec::SmallVec;
use std::{fmt, future::Future};

/// Which machine a value lives on; cheap to compare, and printed in errors.
///
/// ```
/// use firesteel_core::Device;
/// assert_eq!(Device { kind: "cuda", index: 1 }.to_string(), "cuda:1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// The machine: `"cpu"`, `"wgpu"`, `"cuda"`.
    pub kind: &'static str,
    /// Which of several.
    pub index: u32,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.index)
    }
}

/// What a device's pool holds, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// In use by values.
    pub allocated: usize,
    /// In use, and kept to be used again.
    pub reserved: usize,
    /// The most that was ever allocated.
    pub peak: usize,
}

/// An operand of an [`update`](Backend::update): one of the values that change, or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand<T> {
    /// The target with this number.
    Target(usize),
    /// A value that stays as it is.
    Value(T),
}

/// Values that an operation's results replace, in order.
#[derive(Debug)]
pub struct Update<'a, T> {
    /// What changes.
    pub targets: SmallVec<[&'a mut T; 4]>,
    /// Of what it becomes the results.
    pub op: Op<Operand<&'a T>>,
}

impl<'a, T> Update<'a, T> {
    /// The same update of what lies beneath: `change` and `read` go there.
    pub fn try_map<U>(
        self,
        change: impl FnMut(&'a mut T) -> Result<&'a mut U>,
        mut read: impl FnMut(&'a T) -> Result<&'a U>,
    ) -> Result<Update<'a, U>> {
        let targets = self.targets.into_iter().map(change).collect::<Result<_>>()?;
        let op = self.op.try_map(|x| match x {
            Operand::Target(i) => Ok(Operand::Target(i)),
            Operand::Value(v) => read(v).map(Operand::Value),
        })?;
        Ok(Update { targets, op })
    }

    /// The operation on what the targets are now.
    pub fn plain(&self) -> Op<&T> {
        self.op.clone().map(|x| match x {
            Operand::Target(i) => &*self.targets[i],
            Operand::Value(v) => v,
        })
    }

    /// Replaces the targets.
    pub fn set(&mut self, results: Outputs<T>) {
        self.targets.iter_mut().zip(results).for_each(|(target, result)| **target = result);
    }
}

/// An interpreter of operations; its value is the device.
pub trait Backend: Clone + fmt::Debug + Send + Sync + 'static {
    /// What flows through it: cheap to clone, as every tensor holds one.
    type Value: Clone + fmt::Debug + Send + Sync + 'static;

    /// Kind and index: two handles to one device mix, and two devices do not.
    fn device(&self) -> Device;

    /// Shape and dtype, of the value alone: it does not matter which device asks.
    fn meta(v: &Self::Value) -> &Meta;

    /// Copies host memory to the device.
    fn upload(&self, data: TensorData) -> Result<Self::Value>;

    /// Copies to host memory. A future, since a browser cannot block.
    fn download(&self, v: &Self::Value) -> impl Future<Output = Result<TensorData>> + Send;

    /// Runs an operation that [`infer`] has accepted, and whose results it predicted as `out`.
    fn eval(&self, op: Op<&Self::Value>, out: &Metas) -> Result<Outputs<Self::Value>>;

    /// The source of the device's random numbers.
    fn generator(&self) -> &Generator;

    /// What the pool holds: nothing where there is none.
    fn memory(&self) -> MemoryStats {
        MemoryStats::default()
    }

    /// Gives back what the pool keeps but nobody uses.
    fn empty_cache(&self) {}

    /// Waits until all that was asked for is done, and reports what failed meanwhile: there is nothing to wait for
    /// where `eval` returns when it is done.
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }

    /// Whether `eval` takes this fused or custom operation whole; else it is decomposed.
    fn fuses(&self, _: &Op<&Meta>) -> bool {
        false
    }

    /// Prepares a value to be learned; where nothing is differentiated that is nothing.
    fn parameter(&self, v: Self::Value) -> Self::Value {
        v
    }

    /// The value without its history; where nothing is differentiated it has none.
    fn detach(&self, v: Self::Value) -> Self::Value {
        v
    }

    /// Whether gradients flow to this value.
    fn requires_grad(_: &Self::Value) -> bool {
        false
    }

    /// Replaces the targets of each update by the results of its operation, which names targets that are there. A backend
    /// may write into the memory of a target where nobody else holds it, and may run all updates at once. Where one fails,
    /// others may be done.
    fn update(&self, updates: Vec<Update<'_, Self::Value>>) -> Result<()> {
        for mut update in updates {
            let results = self.run(update.plain())?;
            update.set(results);
        }
        Ok(())
    }

    /// Checks, and evaluates whole or by parts: the way in.
    #[inline]
    fn run(&self, op: Op<&Self::Value>) -> Result<Outputs<Self::Value>> {
        match op {
            // as nearly always: it has no parts, and its result is no larger than an operand, which could be addressed; built
            // where it goes, as moving it is felt where tensors are small
            Op::Unary(kind, x) => self.eval(Op::Unary(kind, x), &infer::unary(kind, Self::meta(x))?),
            Op::Binary(kind, a, b) => {
                self.eval(Op::Binary(kind, a, b), &infer::binary(kind, Self::meta(a), Self::meta(b))?)
            }
            op => {
                let out = infer(op.clone().map(Self::meta))?;
                self.dispatch(op, &out)
            }
        }
    }

    /// [`run`](Backend::run) for an operation that is already checked.
    #[inline]
    fn dispatch(&self, op: Op<&Self::Value>, out: &Metas) -> Result<Outputs<Self::Value>> {
        let has_parts = matches!(op, Op::Fused(..) | Op::Custom(..));
        if has_parts && !self.fuses(&op.clone().map(Self::meta)) {
            return decompose(self, op);
        }
        self.eval(op, out)
    }
}

/// What flows through a backend.
pub type ValueOf<B> = <B as Backend>::Value;
