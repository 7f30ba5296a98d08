//! What flows through a GPU: views of buffers, and numbers that take no memory.
use crate::memory::Block;
use firesteel_core::{Layout, Meta, Scalar};
use std::{fmt, sync::Arc};

/// A tensor on a GPU: a view of a buffer that others may share.
#[derive(Clone)]
pub struct WgpuValue {
    pub(crate) meta: Meta,
    pub(crate) layout: Layout,
    pub(crate) memory: Memory,
}

/// Where the elements are.
#[derive(Clone)]
pub(crate) enum Memory {
    /// In a buffer.
    Block(Arc<Block>),
    /// The same number everywhere, which needs no memory and travels with the kernel's parameters.
    Same(Scalar),
}

impl WgpuValue {
    /// The same number everywhere.
    pub(crate) fn same(meta: Meta, value: Scalar) -> Self {
        let layout = Layout::uniform(meta.shape.clone());
        let memory = Memory::Same(value.round_to(meta.dtype));
        Self { meta, layout, memory }
    }

    /// The elements of a buffer, row-major from its start.
    pub(crate) fn new(meta: Meta, block: Block) -> Self {
        let layout = Layout::contiguous(meta.shape.clone());
        Self { meta, layout, memory: Memory::Block(Arc::new(block)) }
    }

    /// Another view of the same memory.
    pub(crate) fn view(&self, layout: Layout) -> Self {
        let meta = Meta { shape: layout.shape.clone(), dtype: self.meta.dtype };
        Self { meta, layout, memory: self.memory.clone() }
    }

    /// Bytes in a buffer that the elements are, those that lie on one another once.
    pub(crate) fn bytes(&self) -> usize {
        let Memory::Block(block) = &self.memory else {
            return 0;
        };
        let axes = self.layout.shape.iter().zip(&self.layout.strides);
        let apart: usize =
            axes.map(|(&size, &stride)| if stride == 0 { size.min(1) } else { size }).product();
        apart.saturating_mul(self.meta.dtype.size()).min(block.size())
    }

    /// Whether the elements lie row-major from the start of a buffer.
    pub(crate) fn is_rows(&self) -> bool {
        matches!(self.memory, Memory::Block(_)) && self.layout.offset == 0 && self.layout.is_contiguous()
    }
}

impl fmt::Debug for WgpuValue {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "WgpuValue({}, strides {:?})", self.meta, &self.layout.strides[..])
    }
}
