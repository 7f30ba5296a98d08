//! Commands: recorded as they come, submitted in batches, waited for only where numbers are read.
use crate::{
    WgpuCounters,
    check::{Check, FLAGS},
    device::Gpu,
    kernel::Pipeline,
    memory::{Block, lock},
};
use firesteel_core::{Error, Result};
use smallvec::SmallVec;
use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding, BufferDescriptor,
    BufferUsages, CommandEncoder, ComputePass, Device, MapMode, PollType, SubmissionIndex,
};

/// A batch is submitted when it holds this many kernels,
const KERNELS: usize = 64;
/// or when its kernels read and write this many bytes: then the device had better begin.
const BYTES: usize = 64 << 20;
/// More batches than this are not in flight at once: who is further ahead waits.
const IN_FLIGHT: usize = 4;
/// Room for the parameters of a batch, where the device has no immediates.
const UNIFORMS: usize = 64 << 10;
/// Each begins at a multiple of this.
const UNIFORM_ALIGN: usize = 256;
/// The largest block of parameters, as a shader sees it.
pub(crate) const UNIFORM: usize = 1024;
/// The flags of failed checks, in bytes.
const FLAG_BYTES: usize = 4 * FLAGS;
/// Groups of bindings that are kept.
const BIND_GROUPS: usize = 4096;

/// What is recorded and not yet submitted.
pub(crate) struct Recorder {
    encoder: Option<CommandEncoder>,
    pass: Option<ComputePass<'static>>,
    pipeline: u64,
    batch: u64,
    kernels: usize,
    bytes: usize,
    in_flight: VecDeque<SubmissionIndex>,
    bind_groups: HashMap<(u64, SmallVec<[u64; 8]>), BindGroup>,
    uniforms: Vec<u8>,
    uniform_buffer: Buffer,
    /// Which check failed first, and on what.
    flags: Buffer,
    checks: Vec<Check>,
    is_checked: bool,
    pub counters: WgpuCounters,
}

/// What a kernel is run with.
pub(crate) struct Call<'a> {
    pub pipeline: &'a Pipeline,
    /// In the order of their bindings: those that are read, then those that are written.
    pub blocks: &'a [&'a Block],
    pub params: &'a [u8],
    pub groups: [u32; 3],
    /// Of the numbers that are read and written.
    pub bytes: usize,
}

impl Recorder {
    pub fn new(device: &Device) -> Self {
        let buffer = |size, usage| {
            device.create_buffer(&BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        Self {
            encoder: None,
            pass: None,
            pipeline: u64::MAX,
            batch: 1,
            kernels: 0,
            bytes: 0,
            in_flight: VecDeque::new(),
            bind_groups: HashMap::new(),
            uniforms: vec![],
            uniform_buffer: buffer(UNIFORMS as u64, BufferUsages::UNIFORM | BufferUsages::COPY_DST),
            flags: buffer(
                FLAG_BYTES as u64,
                BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
            ),
            checks: vec![],
            is_checked: false,
            counters: WgpuCounters::default(),
        }
    }

    /// Lets go of the bindings that are kept, and of the buffers in them.
    pub fn forget(&mut self) {
        self.bind_groups.clear();
    }

    /// The number by which a kernel reports that this check failed.
    fn number(&mut self, check: Check) -> u32 {
        let known = self.checks.iter().position(|c| *c == check);
        let number = known.unwrap_or_else(|| {
            self.checks.push(check);
            self.checks.len() - 1
        });
        number as u32 + 1
    }

    fn encoder(&mut self, gpu: &Gpu) -> &mut CommandEncoder {
        self.pass = None;
        self.encoder
            .get_or_insert_with(|| gpu.guarded(|| gpu.device.create_command_encoder(&Default::default())))
    }

    fn record(&mut self, gpu: &Gpu, call: &Call) {
        let Call { pipeline, blocks, params, groups, bytes } = *call;
        if pipeline.takes_uniforms && self.uniforms.len() + UNIFORM > UNIFORMS {
            self.submit(gpu);
        }
        let bind_group = self.bind_group(gpu, pipeline, blocks);
        self.is_checked |= pipeline.takes_flags;
        if self.pass.is_none() {
            let pass = self.encoder(gpu).begin_compute_pass(&Default::default()).forget_lifetime();
            self.pass = Some(pass);
            self.pipeline = u64::MAX;
        }
        let Some(pass) = &mut self.pass else { return };
        if self.pipeline != pipeline.id {
            self.pipeline = pipeline.id;
            pass.set_pipeline(&pipeline.pipeline);
        }
        if pipeline.takes_uniforms {
            pass.set_bind_group(0, &bind_group, &[self.uniforms.len() as u32]);
            self.uniforms.extend_from_slice(params);
            self.uniforms.resize(self.uniforms.len().next_multiple_of(UNIFORM_ALIGN), 0);
        } else {
            pass.set_bind_group(0, &bind_group, &[]);
            if !params.is_empty() {
                pass.set_immediates(0, params);
            }
        }
        let [x, y, z] = groups;
        pass.dispatch_workgroups(x, y, z);
        for block in blocks {
            block.batch.store(self.batch, Relaxed);
        }
        self.bytes += bytes;
        self.kernels += 1;
        self.counters.kernels += 1;
        self.counters.bytes += bytes as u64;
        if self.kernels >= KERNELS || self.bytes >= BYTES {
            self.submit(gpu);
        }
    }

    fn bind_group(&mut self, gpu: &Gpu, pipeline: &Pipeline, blocks: &[&Block]) -> BindGroup {
        let key = (pipeline.layout_id, blocks.iter().map(|block| block.id).collect());
        if let Some(group) = self.bind_groups.get(&key) {
            return group.clone();
        }
        let buffers = blocks.iter().map(|block| block.buffer.as_entire_binding());
        let flags = pipeline.takes_flags.then(|| self.flags.as_entire_binding());
        let uniform = BufferBinding {
            buffer: &self.uniform_buffer,
            offset: 0,
            size: std::num::NonZeroU64::new(UNIFORM as u64),
        };
        let uniform = pipeline.takes_uniforms.then_some(BindingResource::Buffer(uniform));
        let resources = buffers.chain(flags).chain(uniform).enumerate();
        let entries: SmallVec<[BindGroupEntry; 8]> = resources
            .map(|(binding, resource)| BindGroupEntry { binding: binding as u32, resource })
            .collect();
        let descriptor = BindGroupDescriptor { label: None, layout: &pipeline.bindings, entries: &entries };
        let group = gpu.guarded(|| gpu.device.create_bind_group(&descriptor));
        if self.bind_groups.len() >= BIND_GROUPS {
            self.bind_groups.clear();
        }
        self.bind_groups.insert(key, group.clone());
        group
    }

    /// Hands the batch to the device.
    fn submit(&mut self, gpu: &Gpu) {
        self.pass = None;
        let Some(encoder) = self.encoder.take() else { return };
        let submission = gpu.guarded(|| {
            if !self.uniforms.is_empty() {
                gpu.queue.write_buffer(&self.uniform_buffer, 0, &self.uniforms);
            }
            gpu.queue.submit([encoder.finish()])
        });
        self.uniforms.clear();
        self.in_flight.push_back(submission);
        (self.kernels, self.bytes) = (0, 0);
        self.counters.batches += 1;
        self.batch += 1;
        if cfg!(target_arch = "wasm32") {
            self.in_flight.clear();
        } else if self.in_flight.len() > IN_FLIGHT {
            // a device that is lost says so at the next synchronisation
            let submission_index = self.in_flight.pop_front();
            let _ = gpu.device.poll(PollType::Wait { submission_index, timeout: None });
        }
    }
}

impl Gpu {
    /// Runs a kernel, some time before its results are read.
    pub fn run(&self, call: &Call) -> Result<()> {
        lock(&self.recorder).record(self, call);
        Ok(())
    }

    /// The number by which a kernel reports that this check failed.
    pub fn check_number(&self, check: Check) -> u32 {
        lock(&self.recorder).number(check)
    }

    /// Writes to a buffer, after all that was recorded before.
    pub fn write(&self, block: &Block, bytes: &[u8]) {
        let mut recorder = lock(&self.recorder);
        recorder.counters.uploads += 1;
        // writes come before the commands of the next submission
        if block.batch.load(Relaxed) >= recorder.batch {
            recorder.submit(self);
        }
        let whole = bytes.len() & !3;
        let mut rest = [0; 4];
        rest[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
        self.guarded(|| {
            if whole > 0 {
                self.queue.write_buffer(&block.buffer, 0, &bytes[..whole]);
            }
            if whole < bytes.len() {
                self.queue.write_buffer(&block.buffer, whole as u64, &rest);
            }
        });
    }

    /// The first bytes of a buffer once all that was recorded before is done, or what failed meanwhile.
    pub async fn read(&'static self, block: Option<&Block>, bytes: usize) -> Result<Vec<u8>> {
        self.check()?;
        self.flush()?;
        let (mapped, checks) = self.start_reading(block, bytes)?;
        if !cfg!(target_arch = "wasm32") {
            // nobody else drives the device on a native machine
            let waited = self.device.poll(PollType::wait_indefinitely());
            waited.map_err(|e| Error::device("wgpu", format!("{}: {e}", self.name())))?;
        }
        mapped.signal.await.map_err(|why| self.check().err().unwrap_or(Error::device("wgpu", why)))?;
        let view = mapped.staging.slice(..).get_mapped_range();
        let view = view.map_err(|e| Error::device("wgpu", e.to_string()))?;
        let held: Vec<u8> = view[..bytes].to_vec();
        let flags: [u32; FLAGS] = bytemuck::pod_read_unaligned(&view[mapped.flags..][..FLAG_BYTES]);
        drop(view);
        mapped.staging.unmap();
        if mapped.staging.size() <= 1 << 20 {
            lock(&self.staging).push(mapped.staging);
        }
        self.check()?;
        Check::failed(flags, &checks).map_or(Ok(held), Err)
    }

    fn start_reading(&self, block: Option<&Block>, bytes: usize) -> Result<(Mapped, Vec<Check>)> {
        let flags = bytes.next_multiple_of(8);
        let staging = self.staging((flags + FLAG_BYTES) as u64)?;
        let mut recorder = lock(&self.recorder);
        let mut checks = vec![];
        let held = recorder.flags.clone();
        let is_checked = std::mem::take(&mut recorder.is_checked);
        let encoder = recorder.encoder(self);
        if let Some(block) = block.filter(|_| bytes > 0) {
            let bytes = bytes.next_multiple_of(4) as u64;
            encoder.copy_buffer_to_buffer(&block.buffer, 0, &staging, 0, bytes);
        }
        // the flags lie behind, and are clear again after this
        if is_checked {
            encoder.copy_buffer_to_buffer(&held, 0, &staging, flags as u64, FLAG_BYTES as u64);
            encoder.clear_buffer(&held, 0, None);
            // another thread may be about to run what has a number already
            checks = recorder.checks.clone();
        } else {
            encoder.clear_buffer(&staging, flags as u64, Some(FLAG_BYTES as u64));
        }
        recorder.submit(self);
        drop(recorder);
        let signal = Signal::default();
        let done = signal.clone();
        let set =
            move |result: Result<_, wgpu::BufferAsyncError>| done.set(result.map_err(|e| e.to_string()));
        self.guarded(|| staging.slice(..).map_async(MapMode::Read, set));
        Ok((Mapped { staging, signal, flags }, checks))
    }

    /// A buffer that the host can read.
    fn staging(&self, bytes: u64) -> Result<Buffer> {
        let mut free = lock(&self.staging);
        if let Some(i) = free.iter().position(|buffer| buffer.size() >= bytes) {
            return Ok(free.swap_remove(i));
        }
        let size = bytes.max(4096).next_power_of_two();
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let descriptor = BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        self.scoped(|| self.device.create_buffer(&descriptor))
    }
}

/// A buffer on its way to the host.
struct Mapped {
    staging: Buffer,
    signal: Signal,
    /// Where the flags of failed checks begin, in bytes.
    flags: usize,
}

/// A future that a callback fulfils.
#[derive(Clone, Default)]
struct Signal(Arc<Mutex<Awaited>>);

/// How it ended, once it has, and who waits for that.
type Awaited = (Option<Result<(), String>>, Option<Waker>);

impl Signal {
    fn set(&self, result: Result<(), String>) {
        let mut state = lock(&self.0);
        state.0 = Some(result);
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

impl Future for Signal {
    type Output = Result<(), String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context) -> Poll<Self::Output> {
        let mut state = lock(&self.0);
        match state.0.take() {
            Some(result) => Poll::Ready(result),
            None => {
                state.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
