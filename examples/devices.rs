//! The devices of every machine of this build, what they have, and how fast they are.
//!
//!     cargo run --release --example devices --features wgpu
use firesteel::prelude::*;
use std::time::{Duration, Instant};

/// How long each measurement is repeated.
const SECONDS: f64 = 0.5;

fn main() -> Result<()> {
    let mut devices: Vec<(String, Any)> = vec![];
    for (machine, count) in Any::device_counts() {
        for index in 0..count {
            let name = format!("{machine}:{index}");
            match name.parse() {
                Ok(device) => devices.push((name, device)),
                Err(error) => println!("{name} cannot be opened: {error}"),
            }
        }
    }
    for (name, device) in &devices {
        println!("{name}");
        about(device).iter().for_each(|(what, is)| println!("    {what:<10}{is}"));
    }

    println!();
    println!(
        "{:<10}{:>20}{:>20}{:>20}{:>20}",
        "", "matmul 1024", "add 10 million", "bandwidth", "small addition"
    );
    for (name, device) in &devices {
        let [matmul, add, copy, small] = speed(device)?;
        println!(
            "{name:<10}{:>20}{:>20}{:>20}{:>20}",
            format!("{:.1} GFLOP/s", 2. * 1024f64.powi(3) / matmul / 1e9),
            format!("{:.2} ms", add * 1e3),
            format!("{:.1} GB/s", 2. * 4. * 16. * (1 << 20) as f64 / copy / 1e9),
            format!("{:.2} us", small * 1e6),
        );
    }

    println!();
    println!("{:<10}{:>20}{:>20}{:>20}", "MB", "in use", "reserved", "at most in use");
    for (name, device) in &devices {
        let memory = device.memory();
        let [now, kept, peak] = [memory.allocated, memory.reserved, memory.peak].map(|bytes| bytes >> 20);
        println!("{name:<10}{now:>20}{kept:>20}{peak:>20}");
    }
    Ok(())
}

/// What is known of a device, line by line.
fn about(device: &Any) -> Vec<(&'static str, String)> {
    match device {
        #[cfg(feature = "cpu")]
        Any::Cpu(_) => vec![
            ("name", processor()),
            ("kind", format!("{}, {} threads", std::env::consts::ARCH, firesteel::num_threads())),
        ],
        #[cfg(feature = "wgpu")]
        Any::Wgpu(gpu) => {
            let info = gpu.info();
            let limits = &info.limits;
            let features: Vec<_> = info.features.iter_names().map(|(name, _)| name.to_lowercase()).collect();
            vec![
                ("name", info.name.clone()),
                ("kind", format!("{:?}, through {:?}", info.kind, info.backend)),
                ("driver", info.driver.clone()),
                (
                    "features",
                    if features.is_empty() { "those of WebGPU".into() } else { features.join(", ") },
                ),
                (
                    "limits",
                    format!(
                        "{} MB in a buffer, {} buffers in a shader, {} KB of workgroup memory, {} invocations",
                        limits.max_storage_buffer_binding_size >> 20,
                        limits.max_storage_buffers_per_shader_stage,
                        limits.max_compute_workgroup_storage_size >> 10,
                        limits.max_compute_invocations_per_workgroup,
                    ),
                ),
            ]
        }
        other => vec![("name", other.to_string())],
    }
}

/// What the system calls the processor.
#[cfg(feature = "cpu")]
fn processor() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = known.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or("unknown".into(), |(_, name)| name.trim().to_owned())
}

/// Seconds of a product of matrices, of an addition, of a pass that reads and writes, and of one of many small additions.
fn speed(device: &Any) -> Result<[f64; 4]> {
    let matrix = Tensor::randn([1024, 1024], device)?;
    let numbers = Tensor::randn([10_000_000], device)?;
    let many = Tensor::randn([16 << 20], device)?;
    let one = Tensor::ones([1], device)?;
    let small = least(device, || (0..1000).try_fold(one.clone(), |sum, _| sum + &one).map(drop))?;
    Ok([
        least(device, || matrix.matmul(&matrix).map(drop))?,
        least(device, || (&numbers + &numbers).map(drop))?,
        least(device, || many.neg().map(drop))?,
        small / 1000.,
    ])
}

/// The least time until the device has done this, after a first time that does not count.
fn least(device: &Any, mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    let (mut least, start) = (Duration::MAX, Instant::now());
    run()?;
    device.synchronize()?;
    while least == Duration::MAX || start.elapsed().as_secs_f64() < SECONDS {
        let start = Instant::now();
        run()?;
        device.synchronize()?;
        least = least.min(start.elapsed());
    }
    Ok(least.as_secs_f64())
}
