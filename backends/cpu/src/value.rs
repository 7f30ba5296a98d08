//! What flows through the Cpu: views of blocks, and numbers that take no memory.
use crate::memory::Block;
use bytemuck::Pod;
use firesteel_core::{DType, Layout, Meta, Result, Scalar, Shape};
use half::{bf16, f16};
use std::{
    any::Any,
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

/// A tensor on the Cpu: a view of a block that others may share. It is one pointer, as values go through many
/// hands.
#[derive(Clone)]
pub struct CpuValue(Arc<View>);

/// What a value points to.
pub struct View {
    pub(crate) meta: Meta,
    pub(crate) layout: Layout,
    /// Whether the elements lie row-major without gaps: asked in nearly every operation.
    is_contiguous: bool,
    storage: Storage,
}

enum Storage {
    /// Memory of its own, and what kernels keep beside it for as long as it does not change.
    Block(Block, OnceLock<Box<dyn Any + Send + Sync>>),
    /// The memory of another value, which has a block of its own.
    Of(CpuValue),
    /// The same element everywhere, which needs no memory.
    Same(Element),
}

impl Deref for CpuValue {
    type Target = View;

    fn deref(&self) -> &View {
        &self.0
    }
}

/// The bytes of one element.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Element([u8; 8]);

/// A Rust type in memory. Bool is kept as bytes of 0 and 1, since any byte may be there before it is written.
pub(crate) trait Native: Pod + Send + Sync + PartialOrd + Default + fmt::Debug {}
impl Native for f64 {}
impl Native for f32 {}
impl Native for bf16 {}
impl Native for f16 {}
impl Native for i64 {}
impl Native for i32 {}
impl Native for i8 {}
impl Native for u32 {}
impl Native for u8 {}
impl Native for u16 {}
impl Native for u64 {}

impl CpuValue {
    /// The same element everywhere.
    pub(crate) fn same(meta: Meta, value: Scalar) -> Self {
        let mut bytes = [0; 8];
        let layout = Layout::uniform(meta.shape.clone());
        firesteel_core::with_dtype!(meta.dtype, T => {
            bytes[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(&value.to::<T>()));
        });
        Self::new(meta, layout, Storage::Same(Element(bytes)))
    }

    /// The numbers of a block, row-major from its start.
    pub(crate) fn from_block(meta: &Meta, block: Block) -> Self {
        Self(Arc::new(View {
            meta: meta.clone(),
            layout: Layout::contiguous(meta.shape.clone()),
            is_contiguous: true,
            storage: Storage::Block(block, OnceLock::new()),
        }))
    }

    /// Another view of the same memory.
    pub(crate) fn view(&self, layout: Layout) -> Self {
        let meta = Meta { shape: layout.shape.clone(), dtype: self.meta.dtype };
        let storage = match &self.storage {
            Storage::Block(..) => Storage::Of(self.clone()),
            Storage::Of(owner) => Storage::Of(owner.clone()),
            Storage::Same(element) => Storage::Same(*element),
        };
        Self::new(meta, layout, storage)
    }

    fn new(meta: Meta, layout: Layout, storage: Storage) -> Self {
        let is_contiguous = layout.is_contiguous();
        Self(Arc::new(View { meta, layout, is_contiguous, storage }))
    }

    /// All elements of the memory beneath, in which the layout says where this value's lie. `T` is as wide
    /// as the dtype.
    pub(crate) fn memory<T: Native>(&self) -> &[T] {
        debug_assert_eq!(size_of::<T>(), self.meta.dtype.size());
        bytemuck::cast_slice(self.bytes(size_of::<T>()))
    }

    /// The elements row-major, where they lie so.
    pub(crate) fn rows<T: Native>(&self) -> Option<&[T]> {
        self.row_bytes().map(bytemuck::cast_slice)
    }

    /// The bytes of the elements row-major, where they lie so.
    #[inline]
    pub(crate) fn row_bytes(&self) -> Option<&[u8]> {
        let (len, size) = (self.meta.numel(), self.meta.dtype.size());
        if self.is_same() && len != 1 || !self.is_contiguous {
            return None;
        }
        let start = if len == 0 { 0 } else { self.layout.offset };
        self.bytes(size).get(start * size..(start + len) * size)
    }

    /// The one element that is everywhere, where that is so by storage.
    pub(crate) fn uniform<T: Native>(&self) -> Option<T> {
        self.is_same().then(|| self.memory().first().copied()).flatten()
    }

    pub(crate) fn is_same(&self) -> bool {
        matches!(self.storage, Storage::Same(_))
    }

    /// Whether [`rows_mut`](Self::rows_mut) gives them.
    pub(crate) fn is_own(&mut self) -> bool {
        self.is_contiguous && self.bytes_mut().is_some()
    }

    /// What kernels keep beside the memory beneath: the first who asks makes it, and a change of the memory takes it away.
    /// Nothing where there is no memory, or where another kind is kept.
    pub(crate) fn kept<T: Any + Send + Sync + Default>(&self) -> Option<&T> {
        match &self.storage {
            Storage::Block(_, kept) => kept.get_or_init(|| Box::<T>::default()).downcast_ref(),
            Storage::Of(owner) => owner.kept(),
            Storage::Same(_) => None,
        }
    }

    /// The row-major elements to be written, where nobody else holds the memory.
    pub(crate) fn rows_mut<T: Native>(&mut self) -> Option<&mut [T]> {
        if !self.is_contiguous {
            return None;
        }
        let (len, offset) = (self.meta.numel(), self.layout.offset);
        let all: &mut [T] = bytemuck::cast_slice_mut(self.bytes_mut()?);
        all.get_mut(offset..offset + len)
    }

    /// The memory, where it is this value's alone.
    fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        match &mut Arc::get_mut(&mut self.0)?.storage {
            Storage::Block(block, kept) => {
                kept.take();
                Some(block.bytes_mut())
            }
            Storage::Of(owner) => owner.bytes_mut(),
            Storage::Same(_) => None,
        }
    }
}

impl View {
    /// The memory; of the same element everywhere, that element of `size` bytes.
    fn bytes(&self, size: usize) -> &[u8] {
        match &self.storage {
            Storage::Block(block, _) => block.bytes(),
            Storage::Of(owner) => owner.bytes(size),
            Storage::Same(element) => &element.0[..size],
        }
    }
}

/// Memory for a result, which is written and then becomes a value.
pub(crate) struct Output<T> {
    block: Block,
    len: usize,
    element: std::marker::PhantomData<T>,
}

impl<T: Native> Output<T> {
    pub(crate) fn new(len: usize) -> Result<Self> {
        let block = Block::new(len.saturating_mul(size_of::<T>()))?;
        Ok(Self { block, len, element: std::marker::PhantomData })
    }

    /// What is to be written, with whatever was there before.
    pub(crate) fn slice(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut(self.block.bytes_mut())[..self.len]
    }

    /// What was written.
    pub(crate) fn read(&self) -> &[T] {
        &bytemuck::cast_slice(self.block.bytes())[..self.len]
    }

    /// A row-major value of a shape with as many elements.
    pub(crate) fn finish(self, shape: impl Into<Shape>, dtype: DType) -> CpuValue {
        let meta = Meta::new(shape, dtype);
        debug_assert_eq!((meta.numel(), dtype.size()), (self.len, size_of::<T>()));
        CpuValue::from_block(&meta, self.block)
    }
}

impl fmt::Debug for CpuValue {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "CpuValue({}, strides {:?})", self.meta, &self.layout.strides[..])
    }
}

/// Runs a body with a type alias bound to the type in memory of a dtype; of Bool, that is `u8`.
macro_rules! native {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            firesteel_core::DType::F64 => native!(@ f64, $t, $body),
            firesteel_core::DType::F32 => native!(@ f32, $t, $body),
            firesteel_core::DType::BF16 => native!(@ half::bf16, $t, $body),
            firesteel_core::DType::F16 => native!(@ half::f16, $t, $body),
            firesteel_core::DType::I64 => native!(@ i64, $t, $body),
            firesteel_core::DType::I32 => native!(@ i32, $t, $body),
            firesteel_core::DType::I8 => native!(@ i8, $t, $body),
            firesteel_core::DType::U32 => native!(@ u32, $t, $body),
            firesteel_core::DType::U8 | firesteel_core::DType::Bool => native!(@ u8, $t, $body),
        }
    };
    (@ $native:ty, $t:ident, $body:expr) => {{
        type $t = $native;
        $body
    }};
}

/// Runs a body with a type alias bound to an unsigned integer as wide as the dtype: for what only moves
/// elements.
macro_rules! bits {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype.size() {
            1 => native!(@ u8, $t, $body),
            2 => native!(@ u16, $t, $body),
            4 => native!(@ u32, $t, $body),
            _ => native!(@ u64, $t, $body),
        }
    };
}

/// Runs a body with a type alias bound to the type that a dtype's arithmetic is done in: of half precision,
/// `f32`; of Bool, `u8`.
macro_rules! arithmetic {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            firesteel_core::DType::F64 => native!(@ f64, $t, $body),
            firesteel_core::DType::F32 | firesteel_core::DType::BF16 | firesteel_core::DType::F16 => {
                native!(@ f32, $t, $body)
            }
            firesteel_core::DType::I64 => native!(@ i64, $t, $body),
            firesteel_core::DType::I32 => native!(@ i32, $t, $body),
            firesteel_core::DType::I8 => native!(@ i8, $t, $body),
            firesteel_core::DType::U32 => native!(@ u32, $t, $body),
            firesteel_core::DType::U8 | firesteel_core::DType::Bool => native!(@ u8, $t, $body),
        }
    };
}
