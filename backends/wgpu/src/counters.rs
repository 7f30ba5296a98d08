//! What a device was asked to do, counted.

/// What a GPU was asked to do since it was opened. The difference of two of these is what an operation took: how many
/// kernels, how many bytes, and whether anything went through the host.
///
/// ```no_run
/// use firesteel_core::Tensor;
/// use firesteel_wgpu::Wgpu;
/// let gpu = Wgpu::best()?;
/// let x = Tensor::new([1.0, 2.0, 3.0, 4.0], &gpu)?;
/// let before = gpu.counters();
/// x.exp()?;
/// let after = gpu.counters();
/// assert_eq!((after.kernels - before.kernels, after.bytes - before.bytes), (1, 32));
/// # Ok::<(), firesteel_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WgpuCounters {
    /// Kernels that were recorded.
    pub kernels: u64,
    /// Bytes of the numbers that kernels read and write, each number of an operand once a kernel.
    pub bytes: u64,
    /// Batches that were submitted.
    pub batches: u64,
    /// Copies from host memory.
    pub uploads: u64,
    /// Values that were read back to host memory.
    pub downloads: u64,
    /// Shaders that were compiled.
    pub shaders: u64,
}
