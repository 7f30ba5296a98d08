//! Finding GPUs and opening them.
use crate::{
    Wgpu,
    kernel::Pipelines,
    memory::{Pool, lock},
    pending::Pending,
    queue::Recorder,
};
use firesteel_core::{Error, Generator, Result};
use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock},
};
use wgpu::{
    Adapter, AdapterInfo, Backends, Buffer, Device, DeviceDescriptor, DeviceType, ErrorFilter, Features,
    Instance, InstanceDescriptor, InstanceFlags, Limits, PollType, Queue, RequestAdapterOptions,
};

/// What a device may have beyond plain WebGPU, and is used where it is there.
const WANTED: Features = Features::SHADER_F16
    .union(Features::SUBGROUP)
    .union(Features::SHADER_INT64)
    .union(Features::SHADER_F64)
    .union(Features::IMMEDIATES)
    .union(Features::PIPELINE_CACHE);

/// What is known of a GPU before it is opened.
#[derive(Clone, Debug)]
pub struct WgpuInfo {
    /// The name that its driver gives it.
    pub name: String,
    /// Discrete, integrated, or software on the processor.
    pub kind: DeviceType,
    /// The driver and its version.
    pub driver: String,
    /// Vulkan, Metal, DirectX 12 or the browser's WebGPU.
    pub backend: wgpu::Backend,
    /// What it has beyond plain WebGPU.
    pub features: Features,
    /// The sizes that it can take.
    pub limits: Limits,
}

impl WgpuInfo {
    fn new(info: AdapterInfo, features: Features, limits: Limits) -> Self {
        let driver = [info.driver, info.driver_info].join(" ").trim().to_owned();
        Self { name: info.name, kind: info.device_type, driver, backend: info.backend, features, limits }
    }

    /// Which is tried first: the lower the better.
    fn rank(&self) -> u8 {
        match self.kind {
            DeviceType::DiscreteGpu => 0,
            DeviceType::IntegratedGpu => 1,
            DeviceType::VirtualGpu => 2,
            DeviceType::Other => 3,
            DeviceType::Cpu => 4,
        }
    }
}

impl fmt::Display for WgpuInfo {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} ({:?}, {:?}, {})", self.name, self.kind, self.backend, self.driver)
    }
}

/// An open device: what a handle points to, for as long as the program runs.
pub(crate) struct Gpu {
    /// Another one for each device that is opened.
    pub index: u32,
    /// The number in the list of what it was opened on.
    adapter: Option<usize>,
    pub info: WgpuInfo,
    pub device: Device,
    pub queue: Queue,
    pub features: Features,
    pub limits: Limits,
    /// The invocations that exchange registers, at least; 1 where none do.
    pub lanes: usize,
    /// The same, at most.
    most_lanes: usize,
    pub pool: Pool,
    pub generator: Generator,
    /// Locked before the recorder.
    pub pending: Mutex<Pending>,
    pub recorder: Mutex<Recorder>,
    pub pipelines: Pipelines,
    /// Buffers that downloads go through.
    pub staging: Mutex<Vec<Buffer>>,
    /// Why the device can be used no more, or what went wrong behind the program's back.
    faults: Arc<Mutex<Faults>>,
}

#[derive(Default)]
struct Faults {
    lost: Option<String>,
    error: Option<String>,
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "wgpu:{} {}", self.index, self.info)
    }
}

impl Gpu {
    fn new(
        index: u32,
        adapter: Option<usize>,
        info: AdapterInfo,
        device: Device,
        queue: Queue,
    ) -> &'static Gpu {
        let (features, limits) = (device.features(), device.limits());
        let faults = Arc::new(Mutex::new(Faults::default()));
        let lost = faults.clone();
        device.set_device_lost_callback(move |reason, why| {
            lock(&lost).lost = Some(format!("{reason:?} {why}").trim().to_owned());
        });
        let subgroups = [info.subgroup_min_size, info.subgroup_max_size].map(|size| size.max(1) as usize);
        let [lanes, most_lanes] = if features.contains(Features::SUBGROUP) { subgroups } else { [1, 1] };
        let gpu = Gpu {
            index,
            adapter,
            info: WgpuInfo::new(info, features, limits.clone()),
            pending: Mutex::default(),
            recorder: Mutex::new(Recorder::new(&device)),
            pipelines: Pipelines::new(&device, features, &limits),
            pool: Pool::new(),
            generator: Generator::new(0),
            staging: Mutex::new(vec![]),
            device,
            queue,
            features,
            limits,
            lanes,
            most_lanes,
            faults,
        };
        // handles are copied with every tensor, and a device that was opened stays open
        Box::leak(Box::new(gpu))
    }

    /// Errors that no scope sees become those of the next synchronisation.
    fn watch(&self) {
        let faults = self.faults.clone();
        self.device.on_uncaptured_error(Arc::new(move |error| {
            lock(&faults).error.get_or_insert(error.to_string());
        }));
    }

    /// The name of the device.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Whether so many invocations exchange registers, no more and no fewer.
    pub fn has_lanes(&self, lanes: usize) -> bool {
        self.lanes == lanes && self.most_lanes == lanes
    }

    /// Whether the device can be used no more.
    fn is_lost(&self) -> bool {
        lock(&self.faults).lost.is_some()
    }

    /// Whether the device is still there, and nothing went wrong since this was asked.
    pub fn check(&self) -> Result<()> {
        // a loss is told to those who ask for what is done
        let _ = self.device.poll(PollType::Poll);
        let mut faults = lock(&self.faults);
        if let Some(why) = &faults.lost {
            let why = format!(
                "{} is lost ({why}), and all that was on it: open it again by `Wgpu::new`",
                self.name()
            );
            return Err(Error::device("wgpu", why));
        }
        match faults.error.take() {
            Some(why) => Err(Error::device("wgpu", format!("{} reports: {why}", self.name()))),
            None => Ok(()),
        }
    }

    /// Runs what the device may refuse. In a browser, where nothing can be waited for, that shows at the next
    /// synchronisation.
    pub fn scoped<T>(&self, make: impl FnOnce() -> T) -> Result<T> {
        match self.caught(make) {
            (made, None) => Ok(made),
            (_, Some(error @ wgpu::Error::OutOfMemory { .. })) => {
                Err(Error::memory("wgpu", error.to_string()))
            }
            (_, Some(error)) => Err(Error::internal("wgpu", error.to_string())),
        }
    }

    /// Runs what the device refuses only where it is lost or something is wrong with us: an error of the next
    /// synchronisation, and none for the handlers of a device that the program opened.
    pub fn guarded<T>(&self, make: impl FnOnce() -> T) -> T {
        let (made, error) = self.caught(make);
        if let Some(error) = error {
            self.report(error.to_string());
        }
        made
    }

    /// Keeps what went wrong as an error of the next synchronisation.
    pub fn report(&self, why: String) {
        lock(&self.faults).error.get_or_insert(why);
    }

    fn caught<T>(&self, make: impl FnOnce() -> T) -> (T, Option<wgpu::Error>) {
        if cfg!(target_arch = "wasm32") {
            return (make(), None);
        }
        let filters = [ErrorFilter::OutOfMemory, ErrorFilter::Internal, ErrorFilter::Validation];
        let scopes = filters.map(|filter| self.device.push_error_scope(filter));
        let made = make();
        // the innermost ends first
        let ended = firesteel_core::block_on(async {
            let mut first = None;
            for scope in scopes.into_iter().rev() {
                let error = scope.pop().await;
                first = first.or(error);
            }
            Ok(first)
        });
        (made, ended.unwrap_or_default())
    }

    /// Gives back all that nobody uses.
    pub fn empty_cache(&self) {
        lock(&self.recorder).forget();
        lock(&self.staging).clear();
        self.pool.empty();
    }
}

fn instance() -> &'static Instance {
    static INSTANCE: OnceLock<Instance> = OnceLock::new();
    INSTANCE.get_or_init(|| {
        let descriptor = InstanceDescriptor::new_without_display_handle();
        Instance::new(InstanceDescriptor { flags: InstanceFlags::empty(), ..descriptor })
    })
}

/// All adapters, best first. A browser shows only one, and not to those who cannot wait.
fn adapters() -> &'static [Adapter] {
    static ADAPTERS: OnceLock<Vec<Adapter>> = OnceLock::new();
    ADAPTERS.get_or_init(|| {
        let all = async { Ok(instance().enumerate_adapters(Backends::all()).await) };
        // where nobody can wait, there are none
        let mut found = firesteel_core::block_on(all).unwrap_or_default();
        found.sort_by_key(|adapter| info(adapter).rank());
        found
    })
}

fn info(adapter: &Adapter) -> WgpuInfo {
    WgpuInfo::new(adapter.get_info(), adapter.features(), adapter.limits())
}

/// The devices that were opened. Those that were lost are still among them, as values may hold them.
static OPEN: Mutex<Vec<Wgpu>> = Mutex::new(vec![]);

async fn open(adapter: &Adapter) -> Result<(Device, Queue)> {
    let descriptor = DeviceDescriptor {
        label: Some("firesteel"),
        required_features: adapter.features() & WANTED,
        required_limits: adapter.limits(),
        ..Default::default()
    };
    let opened = adapter.request_device(&descriptor).await;
    opened.map_err(|e| {
        Error::device("wgpu", format!("{} cannot be opened: {e}", info(adapter).name)).because(e)
    })
}

/// The device that is open on this adapter, and not lost.
fn opened(adapter: usize) -> Option<Wgpu> {
    find(&lock(&OPEN), adapter)
}

fn find(open: &[Wgpu], adapter: usize) -> Option<Wgpu> {
    open.iter().find(|wgpu| wgpu.0.adapter == Some(adapter) && !wgpu.0.is_lost()).copied()
}

/// Keeps a device of this adapter, unless another thread was faster. It has the adapter's number, but where one before it
/// was lost.
fn keep(adapter: usize, info: AdapterInfo, device: Device, queue: Queue) -> Wgpu {
    let mut open = lock(&OPEN);
    if let Some(wgpu) = find(&open, adapter) {
        return wgpu;
    }
    let is_taken = open.iter().any(|wgpu| wgpu.0.index as usize == adapter);
    let index = if is_taken { next(&open) } else { adapter as u32 };
    let wgpu = Wgpu(Gpu::new(index, Some(adapter), info, device, queue));
    wgpu.0.watch();
    open.push(wgpu);
    wgpu
}

/// An index that no device has, after those of the list.
fn next(open: &[Wgpu]) -> u32 {
    let first = adapters().len().max(1) as u32;
    open.iter().map(|wgpu| wgpu.0.index + 1).max().unwrap_or(0).max(first)
}

impl Wgpu {
    /// The GPUs that are here, best first: discrete, integrated, virtual, then software. Empty in a browser, which
    /// shows its own only to [`best_async`](Self::best_async).
    pub fn list() -> Vec<WgpuInfo> {
        adapters().iter().map(info).collect()
    }

    /// How many GPUs are here.
    pub fn device_count() -> usize {
        adapters().len()
    }

    /// Whether there is one.
    pub fn is_available() -> bool {
        !adapters().is_empty()
    }

    /// The first of [`list`](Self::list). An error where there is none, and in a browser, where opening a device
    /// takes waiting: use [`best_async`](Self::best_async) there.
    pub fn best() -> Result<Self> {
        Self::new(0)
    }

    /// The GPU with this number in [`list`](Self::list); the same device for the same number, or a new one where that was
    /// lost.
    pub fn new(index: usize) -> Result<Self> {
        let Some(adapter) = adapters().get(index) else {
            let why = match adapters().len() {
                0 => "no GPU is here: install a driver (Mesa's lavapipe needs none to be there)".to_owned(),
                count => format!("there is no wgpu:{index}: {count} are here"),
            };
            return Err(Error::device("wgpu", why));
        };
        if let Some(wgpu) = opened(index) {
            return Ok(wgpu);
        }
        let (device, queue) = firesteel_core::block_on(open(adapter))?;
        Ok(keep(index, adapter.get_info(), device, queue))
    }

    /// The best GPU, without blocking: the way in for a browser.
    pub async fn best_async() -> Result<Self> {
        if let Some(wgpu) = opened(0) {
            return Ok(wgpu);
        }
        if let Some(adapter) = adapters().first() {
            let (device, queue) = open(adapter).await?;
            return Ok(keep(0, adapter.get_info(), device, queue));
        }
        let found = instance().request_adapter(&RequestAdapterOptions::default()).await;
        let adapter = found.map_err(|e| Error::device("wgpu", format!("no GPU is here: {e}")).because(e))?;
        let (device, queue) = open(&adapter).await?;
        Ok(keep(0, adapter.get_info(), device, queue))
    }

    /// A device that the program opened itself, for a renderer's say. Errors of what is computed here are those of tensors;
    /// that it is lost is told here too, in place of a callback that the program set for it. It gets an index after those of
    /// [`list`](Self::list), another one each time.
    pub fn from_wgpu(device: Device, queue: Queue) -> Self {
        let mut open = lock(&OPEN);
        let wgpu = Wgpu(Gpu::new(next(&open), None, device.adapter_info(), device, queue));
        open.push(wgpu);
        wgpu
    }

    /// The device itself, for a renderer's say. What was computed before is submitted to its queue by the next
    /// [`synchronize`](firesteel_core::Backend::synchronize).
    pub fn as_wgpu(&self) -> (&'static Device, &'static Queue) {
        (&self.0.device, &self.0.queue)
    }

    /// What is known of the device.
    pub fn info(&self) -> &'static WgpuInfo {
        &self.0.info
    }
}
