//! PyTorch's own cases in a browser, on the processor and on plain WebGPU: the runner of `tests/pytorch`, compiled to WebAssembly.
//!
//! `tests/conformance.rs` starts it, and reads what it reports.
#![cfg(target_arch = "wasm32")]

#[path = "../../pytorch"]
mod pytorch {
    // other programs use the rest: here there are no files, and no gradients
    #![allow(dead_code, unused_imports)]

    pub mod args;
    pub mod cases;
    pub mod compare;
    pub mod gauge;
    pub mod judge;
    pub mod module;
    pub mod optim;
    pub mod random;
    pub mod read;
    pub mod report;
    pub mod run;
    pub mod sched;
    pub mod scope;
    pub mod table;
}

use firesteel::{Any, Cpu, Error, Result, Wgpu, wgpu};
use flate2::read::GzDecoder;
use pytorch::{
    cases::{Case, Kind},
    read::parse_file,
    report::{Known, Outcome, Report},
    run,
    scope::Scope,
};
use std::{
    io::Read,
    sync::{Arc, Mutex, PoisonError},
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Told each case before it runs. Now and then it lets the page do something else.
    #[wasm_bindgen(js_namespace = globalThis)]
    async fn begin(id: &str);

    /// Told why a panic ends everything.
    #[wasm_bindgen(js_namespace = globalThis)]
    fn panicked(why: &str);
}

/// Runs all operators of the first tier whose ids begin with `stem`, from the contents of `op.jsonl.gz` and
/// `op.safetensors.gz`. Gives the report, and a line for each outcome that is not as `known_failures.tsv` has it.
#[wasm_bindgen(js_name = run)]
pub async fn run_all(lines: &[u8], tensors: &[u8], stem: &str) -> Result<String, JsError> {
    std::panic::set_hook(Box::new(|info| panicked(&info.to_string())));
    let mut cases = parse_file(Kind::Op, &unpacked(lines)?, &unpacked(tensors)?)?;
    let (scope, known, mut report) = (Scope::own(), Known::own()?, Report::default());
    cases.retain(|case| scope.tier(case) == Some(1) && case.id.starts_with(stem));
    for stack in [Stack::cpu(), Stack::webgpu().await?] {
        for case in &cases {
            if !(stack.takes)(case) {
                report.leave_out(stack.name, 1, case);
                continue;
            }
            begin(&format!("{} on {}", case.id, stack.name)).await;
            report.add(stack.name, 0, 1, case, stack.outcome(case, &known).await);
        }
    }
    let surprises = report.surprises(&known).into_iter();
    let surprises: String = surprises.map(|surprise| format!("pytorch-surprise {surprise}\n")).collect();
    Ok(format!("{report}{surprises}"))
}

fn unpacked(file: &[u8]) -> Result<Vec<u8>> {
    let mut content = vec![];
    GzDecoder::new(file).read_to_end(&mut content)?;
    Ok(content)
}

/// A machine that cases run on.
struct Stack {
    name: &'static str,
    device: Any,
    /// Whether it has the dtypes of a case.
    takes: fn(&Case) -> bool,
    /// The first error that no operation has reported.
    fault: Arc<Mutex<Option<String>>>,
}

impl Stack {
    /// The processor, as far as one thread of a browser is one.
    fn cpu() -> Self {
        Self { name: "cpu-chromium", device: Cpu.into(), takes: |_| true, fault: Arc::default() }
    }

    /// A device with what every WebGPU promises and nothing more: 8 storage buffers in a shader, no subgroups, no halves.
    /// None has float64.
    async fn webgpu() -> Result<Self> {
        let broken = |why: String| Error::device("browser", why);
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter =
            instance.request_adapter(&Default::default()).await.map_err(|e| broken(e.to_string()))?;
        let opened = adapter.request_device(&Default::default()).await;
        let (device, queue) = opened.map_err(|e| broken(e.to_string()))?;
        let fault = Arc::new(Mutex::new(None));
        let seen = fault.clone();
        device.on_uncaptured_error(Arc::new(move |error| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
        }));
        let takes = |case: &Case| !case.dtypes().contains("float64");
        Ok(Self { name: "webgpu-chromium", device: Wgpu::from_wgpu(device, queue).into(), takes, fault })
    }

    /// Runs and judges a case.
    async fn outcome(&self, case: &Case, known: &Known) -> Outcome {
        let ran = run::plain(&self.device, case).await;
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (fault, ran) {
            (Some(why), _) => Outcome::Failed(why),
            (None, Err(error)) => Outcome::Failed(error.to_string()),
            (None, Ok(None)) => Outcome::Unmapped,
            (None, Ok(Some(results))) => results.outcome(case, known.rounding(self.name, &case.id)),
        }
    }
}
