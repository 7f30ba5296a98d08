//! Kernels: a shader specialised by what it is run on, compiled once, and recorded.
//!
//! A family's shader says only what is particular to it. What it reads and writes is declared here, by name:
//! an operand `x` has `x(i)`, its element number `i` in row-major order as a number, wherever the element lies and
//! however it is packed; `x4(g)`, elements `4 g` to `4 g + 3`; and `x_at(k)`, `x_at4(g)` for places in the buffer.
//! A result `y` has `y_set4(g, v)` or `y_set(i, v)`, one that counts `y_add(i, n)`. Small parameters are the fields of `p`.
use crate::{
    WgpuValue,
    check::Check,
    device::Gpu,
    memory::{Block, lock},
    queue::{Call, UNIFORM},
    source::{self, Form, Mode},
    storage::Storage,
    value::Memory,
};
use firesteel_core::{Axes, DType, Error, Layout, Result, Scalar, Strides};
use smallvec::SmallVec;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, BufferBindingType,
    ComputePipeline, ComputePipelineDescriptor, Device, DeviceType, Features, Limits, PipelineCache,
    PipelineCacheDescriptor, PipelineLayout, PipelineLayoutDescriptor, ShaderModuleDescriptor,
    ShaderRuntimeChecks, ShaderSource, ShaderStages,
};

/// Invocations of a workgroup, unless a family says otherwise; all devices take 256.
pub(crate) const WORKGROUP: usize = 256;

/// Everything that a pipeline depends on, as numbers after the family's name.
type Key = (&'static str, SmallVec<[u32; 48]>);

/// How many buffers are read and how many written, and whether flags and uniforms are bound.
type Signature = (usize, usize, bool, bool);

/// A compiled shader.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub id: u64,
    pub pipeline: ComputePipeline,
    pub bindings: BindGroupLayout,
    /// The same for all pipelines that bind the same way.
    pub layout_id: u64,
    pub takes_uniforms: bool,
    pub takes_flags: bool,
}

/// What a device has compiled.
#[derive(Debug)]
pub(crate) struct Pipelines {
    made: AtomicU64,
    pipelines: Mutex<HashMap<Key, Arc<Pipeline>>>,
    layouts: Mutex<HashMap<Signature, (u64, BindGroupLayout, PipelineLayout)>>,
    cache: Option<PipelineCache>,
    /// Bytes of parameters that need no buffer.
    immediates: usize,
}

impl Pipelines {
    pub fn new(device: &Device, features: Features, limits: &Limits) -> Self {
        let has = |feature| features.contains(feature);
        let cache = has(Features::PIPELINE_CACHE).then(|| {
            let descriptor = PipelineCacheDescriptor { label: None, data: None, fallback: true };
            // SAFETY: there is no data that could be another driver's.
            unsafe { device.create_pipeline_cache(&descriptor) }
        });
        let immediates = if has(Features::IMMEDIATES) { limits.max_immediate_size as usize } else { 0 };
        Self {
            made: AtomicU64::new(0),
            pipelines: Mutex::new(HashMap::new()),
            layouts: Mutex::new(HashMap::new()),
            cache,
            immediates,
        }
    }

    /// How the buffers of a kernel are bound: those that are read, those that are written, the flags, the uniforms.
    fn layout(&self, device: &Device, signature: Signature) -> (u64, BindGroupLayout, PipelineLayout) {
        let mut layouts = lock(&self.layouts);
        let next = layouts.len() as u64;
        let make = || {
            let (reads, writes, flags, uniforms) = signature;
            let storage = |read_only| BufferBindingType::Storage { read_only };
            let types = std::iter::repeat_n(storage(true), reads)
                .chain(std::iter::repeat_n(storage(false), writes + usize::from(flags)))
                .chain(uniforms.then_some(BufferBindingType::Uniform));
            let entry = |(binding, ty): (usize, BufferBindingType)| BindGroupLayoutEntry {
                binding: binding as u32,
                visibility: ShaderStages::COMPUTE,
                ty: BindingType::Buffer {
                    ty,
                    has_dynamic_offset: ty == BufferBindingType::Uniform,
                    min_binding_size: None,
                },
                count: None,
            };
            let entries: Vec<_> = types.enumerate().map(entry).collect();
            let bindings = device
                .create_bind_group_layout(&BindGroupLayoutDescriptor { label: None, entries: &entries });
            let layout = device.create_pipeline_layout(&PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&bindings)],
                immediate_size: if uniforms { 0 } else { self.immediates as u32 },
            });
            (next, bindings, layout)
        };
        layouts.entry(signature).or_insert_with(make).clone()
    }
}

/// An operand that a kernel reads.
pub(crate) struct Read<'a> {
    pub name: &'static str,
    pub dtype: DType,
    pub form: Form,
    value: &'a WgpuValue,
    sizes: Axes,
    strides: Strides,
}

/// A function from the number of an element to its place.
pub(crate) struct Places {
    pub name: &'static str,
    layout: Layout,
}

impl Places {
    /// How many axes there are.
    pub fn rank(&self) -> usize {
        self.layout.strides.len()
    }
}

/// A result that a kernel writes.
pub(crate) struct Write {
    pub name: &'static str,
    pub dtype: DType,
    pub mode: Mode,
    block: Arc<Block>,
    bytes: usize,
}

/// A field of the parameters.
#[derive(Clone, Copy)]
pub(crate) struct Param {
    pub name: &'static str,
    pub ty: &'static str,
    bits: u64,
}

impl Param {
    /// Whether it has 64 bits.
    pub fn is_wide(&self) -> bool {
        matches!(self.ty, "f64" | "i64")
    }
}

/// A kernel in the making. It is recorded by [`run`](Self::run).
pub(crate) struct Kernel<'a> {
    gpu: &'static Gpu,
    family: &'static str,
    reads: SmallVec<[Read<'a>; 4]>,
    writes: SmallVec<[Write; 2]>,
    places: SmallVec<[Places; 2]>,
    consts: SmallVec<[(&'static str, u32); 8]>,
    types: SmallVec<[(&'static str, DType); 2]>,
    params: SmallVec<[Param; 12]>,
    key: SmallVec<[u32; 48]>,
    checks: bool,
}

/// What [`source::compose`] needs to know.
pub(crate) struct Parts<'a> {
    pub features: Features,
    /// Whether four numbers of 32 bits are two words.
    pub long: bool,
    pub reads: &'a [Read<'a>],
    pub writes: &'a [Write],
    pub places: &'a [Places],
    pub consts: &'a [(&'static str, u32)],
    pub types: &'a [(&'static str, DType)],
    pub params: &'a [Param],
    pub checks: bool,
    pub uniforms: bool,
}

impl<'a> Kernel<'a> {
    /// A kernel of this family: the stem of its shader's file, with what tells apart those in one.
    pub fn new(gpu: &'static Gpu, family: &'static str) -> Self {
        Self {
            gpu,
            family,
            reads: SmallVec::new(),
            writes: SmallVec::new(),
            places: SmallVec::new(),
            consts: SmallVec::new(),
            types: SmallVec::new(),
            params: SmallVec::new(),
            key: SmallVec::new(),
            checks: false,
        }
    }

    /// Reads an operand by the number of its elements: `x(i)` and `x4(g)`.
    pub fn read(&mut self, name: &'static str, value: &'a WgpuValue) -> &mut Self {
        let (mut sizes, mut strides) = (Axes::new(), Strides::new());
        let mut form = Form::Same;
        if let Memory::Block(_) = value.memory {
            (sizes, strides) = merged(&value.layout);
            form = form_of(&sizes, &strides, value.layout.offset);
        }
        self.reads.push(Read { name, dtype: value.meta.dtype, form, value, sizes, strides });
        self
    }

    /// Reads an operand by places in its buffer alone, which the family computes: `x_at(k)`, and `x_at4(g)` where
    /// it is `wide`. It has to be in a buffer.
    pub fn read_at(&mut self, name: &'static str, value: &'a WgpuValue, wide: bool) -> &mut Self {
        let form = Form::Places { wide };
        let (sizes, strides) = (Axes::new(), Strides::new());
        self.reads.push(Read { name, dtype: value.meta.dtype, form, value, sizes, strides });
        self
    }

    /// `name(i)`, the place of element number `i` of a layout, for what is read by places.
    pub fn places(&mut self, name: &'static str, layout: &Layout) -> &mut Self {
        let (sizes, strides) = merged(layout);
        let layout = Layout { shape: sizes.into_iter().collect(), strides, offset: layout.offset };
        self.places.push(Places { name, layout });
        self
    }

    /// Writes groups of four elements: `y_set4(g, v)`. What lies past the end may be written too.
    pub fn write4(&mut self, name: &'static str, value: &WgpuValue) -> &mut Self {
        self.write(name, value, Mode::Groups)
    }

    /// Writes single elements: `y_set(i, v)`. Where they are packed that takes two atomic operations.
    pub fn write1(&mut self, name: &'static str, value: &WgpuValue) -> &mut Self {
        self.write(name, value, Mode::Single)
    }

    /// Adds to single elements, which are whole words: `y_add(i, n)`.
    pub fn write_counts(&mut self, name: &'static str, value: &WgpuValue) -> &mut Self {
        self.write(name, value, Mode::Counts)
    }

    fn write(&mut self, name: &'static str, value: &WgpuValue, mode: Mode) -> &mut Self {
        if let Memory::Block(block) = &value.memory {
            let (block, bytes) = (block.clone(), value.bytes());
            self.writes.push(Write { name, dtype: value.meta.dtype, mode, block, bytes });
        }
        self
    }

    /// `const NAME: u32 = value;`, each value of which is a pipeline of its own.
    pub fn constant(&mut self, name: &'static str, value: u32) -> &mut Self {
        self.consts.push((name, value));
        self
    }

    /// `alias NAME = ..;`: the type that numbers of this dtype are.
    pub fn alias(&mut self, name: &'static str, dtype: DType) -> &mut Self {
        self.types.push((name, dtype));
        self
    }

    /// What else the shader depends on.
    pub fn depends(&mut self, numbers: impl IntoIterator<Item = u32>) -> &mut Self {
        self.key.extend(numbers);
        self
    }

    /// `p.name`, a size or a place; a signed one wraps.
    pub fn param(&mut self, name: &'static str, value: usize) -> &mut Self {
        self.params.push(Param { name, ty: "u32", bits: value as u32 as u64 });
        self
    }

    /// `p.name`, a number of the type that this dtype is computed in.
    pub fn number(&mut self, name: &'static str, value: Scalar, dtype: DType) -> &mut Self {
        self.params.push(number(name, value, dtype));
        self
    }

    /// `p.check`, by which the kernel says `fail(p.check, i)`, about something of this size along this dim.
    pub fn check(&mut self, check: Check, size: usize, dim: usize) -> &mut Self {
        self.checks = true;
        let number = self.gpu.check_number(check);
        self.param("check", number as usize).param("check_size", size).param("check_dim", dim)
    }

    /// Records it over this many workgroups, numbered by `w.x + w.y * grid.x`. `body` is the family's shader, and is
    /// asked for only when it has to be compiled.
    pub fn run(&mut self, workgroups: usize, body: impl FnOnce() -> String) -> Result<()> {
        self.gpu.flush()?;
        self.record(workgroups, body)
    }

    /// The same, before what waits.
    pub fn record(&mut self, workgroups: usize, body: impl FnOnce() -> String) -> Result<()> {
        if workgroups == 0 {
            return Ok(());
        }
        self.place_operands();
        let bytes = packed(&self.params);
        let uniforms = bytes.len() > self.gpu.pipelines.immediates;
        if bytes.len() > UNIFORM {
            return Err(Error::unsupported(
                self.family,
                format!("takes {} bytes of parameters", bytes.len()),
            ));
        }
        let pipeline = self.pipeline(uniforms, body)?;
        let groups = self.grid(workgroups)?;
        let read = self.reads.iter().filter_map(|read| match &read.value.memory {
            Memory::Block(block) => Some(&**block),
            Memory::Same(_) => None,
        });
        let blocks: SmallVec<[&Block; 8]> =
            read.chain(self.writes.iter().map(|write| &*write.block)).collect();
        let moved = self.reads.iter().map(|read| read.value.bytes()).sum::<usize>();
        let moved = moved + self.writes.iter().map(|write| write.bytes).sum::<usize>();
        self.gpu.run(&Call { pipeline: &pipeline, blocks: &blocks, params: &bytes, groups, bytes: moved })
    }

    /// Adds the parameters of the operands, in the order in which [`source::fields`] names them.
    fn place_operands(&mut self) {
        for read in &self.reads {
            let mut push =
                |bits: u64| self.params.push(Param { name: "", ty: "u32", bits: bits & 0xffff_ffff });
            match (&read.value.memory, read.form) {
                (Memory::Same(value), _) => self.params.push(number("", *value, read.dtype)),
                (Memory::Block(_), Form::Rows { .. }) => push(read.value.layout.offset as u64),
                (Memory::Block(_), Form::Places { .. } | Form::Same) => (),
                (Memory::Block(_), Form::Strided { .. }) => {
                    push(read.value.layout.offset as u64);
                    read.sizes.iter().skip(1).for_each(|&size| push(size as u64));
                    read.strides.iter().for_each(|&stride| push(stride as u64));
                }
            }
        }
        for Places { layout, .. } in &self.places {
            let sizes = layout.shape.iter().skip(1).map(|&size| size as u64);
            let strides = layout.strides.iter().map(|&stride| stride as u64);
            for bits in [layout.offset as u64].into_iter().chain(sizes).chain(strides) {
                self.params.push(Param { name: "", ty: "u32", bits: bits & 0xffff_ffff });
            }
        }
    }

    fn pipeline(&mut self, uniforms: bool, body: impl FnOnce() -> String) -> Result<Arc<Pipeline>> {
        let gpu = self.gpu;
        let mut key = std::mem::take(&mut self.key);
        key.extend(self.consts.iter().map(|(_, value)| *value));
        key.extend(self.types.iter().map(|(_, dtype)| *dtype as u32));
        for read in &self.reads {
            key.extend([read.dtype as u32, read.form.code()]);
        }
        for write in &self.writes {
            key.extend([write.dtype as u32, write.mode as u32]);
        }
        key.extend(self.places.iter().map(|places| places.rank() as u32));
        key.extend([u32::from(uniforms), u32::from(self.checks)]);
        let key = (self.family, key);
        if let Some(pipeline) = lock(&gpu.pipelines.pipelines).get(&key) {
            return Ok(pipeline.clone());
        }
        let parts = Parts {
            features: gpu.features,
            // a driver that computes on the processor loads and stores word by word
            long: gpu.info.kind == DeviceType::Cpu && gpu.features.contains(Features::SHADER_INT64),
            reads: &self.reads,
            writes: &self.writes,
            places: &self.places,
            consts: &self.consts,
            types: &self.types,
            params: &self.params,
            checks: self.checks,
            uniforms,
        };
        let source = source::compose(&parts, &body());
        let pipeline = Arc::new(self.compile(source, uniforms)?);
        lock(&gpu.pipelines.pipelines).insert(key, pipeline.clone());
        Ok(pipeline)
    }

    fn compile(&self, source: String, uniforms: bool) -> Result<Pipeline> {
        let gpu = self.gpu;
        let bound = self.reads.iter().filter(|read| read.form != Form::Same).count();
        let most = gpu.limits.max_storage_buffers_per_shader_stage as usize;
        let buffers = bound + self.writes.len() + usize::from(self.checks);
        if buffers > most {
            let why = format!("needs {buffers} buffers, and {} takes {most} in a shader", gpu.name());
            return Err(Error::unsupported(self.family, why));
        }
        let signature = (bound, self.writes.len(), self.checks, uniforms);
        let (layout_id, bindings, layout) = gpu.pipelines.layout(&gpu.device, signature);
        let make = || {
            let descriptor = ShaderModuleDescriptor {
                label: Some(self.family),
                source: ShaderSource::Wgsl(source.as_str().into()),
            };
            let checks = ShaderRuntimeChecks { force_loop_bounding: false, ..ShaderRuntimeChecks::checked() };
            // SAFETY: all loops of the shaders end, so none has to be counted.
            let module = unsafe { gpu.device.create_shader_module_trusted(descriptor, checks) };
            gpu.device.create_compute_pipeline(&ComputePipelineDescriptor {
                label: Some(self.family),
                layout: Some(&layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    // workgroup memory is written before it is read
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: gpu.pipelines.cache.as_ref(),
            })
        };
        lock(&gpu.recorder).counters.shaders += 1;
        let pipeline = gpu.scoped(make).map_err(|e| {
            Error::internal(self.family, format!("its shader does not compile: {}\n{source}", e.message()))
        })?;
        Ok(Pipeline {
            id: gpu.pipelines.made.fetch_add(1, Relaxed),
            pipeline,
            bindings,
            layout_id,
            takes_uniforms: uniforms,
            takes_flags: self.checks,
        })
    }

    /// So many workgroups in two dimensions, as one takes only so many.
    fn grid(&self, workgroups: usize) -> Result<[u32; 3]> {
        let most = self.gpu.limits.max_compute_workgroups_per_dimension as usize;
        let rows = workgroups.div_ceil(most);
        let columns = workgroups.div_ceil(rows);
        if rows > most {
            let why = format!(
                "{workgroups} workgroups are more than the {most} times {most} of {}",
                self.gpu.name()
            );
            return Err(Error::unsupported(self.family, why));
        }
        Ok([columns as u32, rows as u32, 1])
    }
}

fn number(name: &'static str, value: Scalar, dtype: DType) -> Param {
    let ty = Storage::of(dtype).number;
    let bits = match ty {
        "f64" => value.to_f64().to_bits(),
        "f32" => value.to::<f32>().to_bits().into(),
        "i64" => value.to_i64().cast_unsigned(),
        _ => u64::from(value.to_i64() as u32),
    };
    Param { name, ty, bits }
}

/// The bytes of the parameters: the wide ones first, then the others, as [`source::compose`] orders the fields.
fn packed(params: &[Param]) -> SmallVec<[u8; 128]> {
    let mut bytes = SmallVec::new();
    for param in params.iter().filter(|param| param.is_wide()) {
        bytes.extend_from_slice(&param.bits.to_le_bytes());
    }
    for param in params.iter().filter(|param| !param.is_wide()) {
        bytes.extend_from_slice(&(param.bits as u32).to_le_bytes());
    }
    bytes
}

/// A layout's sizes and strides with axes that step as one joined, and those of size one left out.
fn merged(layout: &Layout) -> (Axes, Strides) {
    let (mut sizes, mut strides) = (Axes::new(), Strides::new());
    for (&size, &stride) in layout.shape.iter().zip(&layout.strides) {
        match (sizes.last_mut(), strides.last_mut()) {
            _ if size == 1 => (),
            (Some(outer), Some(step)) if *step == stride.saturating_mul(size as isize) => {
                (*outer, *step) = (*outer * size, stride);
            }
            _ => {
                sizes.push(size);
                strides.push(stride);
            }
        }
    }
    (sizes, strides)
}

/// Whether each four elements of a layout lie side by side and aligned.
pub(crate) fn is_wide(layout: &Layout) -> bool {
    let (sizes, strides) = merged(layout);
    form_of(&sizes, &strides, layout.offset).is_wide()
}

/// How elements in these places are best read: whole groups of four where they lie side by side and aligned.
fn form_of(sizes: &Axes, strides: &Strides, offset: usize) -> Form {
    let aligned = |n: isize| n % 4 == 0;
    let wide = match (&sizes[..], &strides[..]) {
        ([_], [1]) => return Form::Rows { wide: offset.is_multiple_of(4) },
        ([.., size], [outer @ .., 1]) => {
            offset.is_multiple_of(4) && aligned(*size as isize) && outer.iter().all(|&stride| aligned(stride))
        }
        _ => false,
    };
    Form::Strided { rank: sizes.len() as u8, wide }
}
