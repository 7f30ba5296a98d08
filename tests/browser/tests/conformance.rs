//! PyTorch's own cases in a real browser, on the processor and on plain WebGPU.
//!
//! `cargo test --release -p firesteel-browser --test conformance -- --nocapture` runs them all, and `PYTORCH_STEM=abs/` those
//! whose ids begin so.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use anyhow::{Context, Result, ensure};
use common::{Chromium, serve};
use serde_json::Value;
use std::{env, thread::sleep, time::Duration};

/// The cases, beside the page.
const CASES: [&str; 2] = ["tests/pytorch/cases/op.jsonl.gz", "tests/pytorch/cases/op.safetensors.gz"];

/// Every case passes, on WebGPU of those without float64, which it lacks, but for those that are listed with the reason why not.
#[test]
fn cases_give_what_pytorch_gives() -> Result<()> {
    let address = serve("tests/browser", &CASES)?;
    let browser = Chromium::start(400, 300)?;
    browser.watch_shaders()?;
    let stem = env::var("PYTORCH_STEM").unwrap_or_default();
    browser.open(&format!("{address}/?stem={stem}"))?;

    let (mut id, mut quiet) = (Value::Null, 0);
    let report = loop {
        sleep(Duration::from_secs(1));
        let mut state = browser.script("return state")?;
        ensure!(state["failed"].is_null(), "at {}: {}", state["id"], state["failed"]);
        if let Some(report) = state["report"].as_str() {
            break report.to_owned();
        }
        quiet = if state["id"] == id { quiet + 1 } else { 0 };
        ensure!(quiet < 60, "{id} hangs");
        id = state["id"].take();
    };
    println!("{report}");
    println!("pytorch-shaders stack=webgpu-chromium accepted={}", browser.check_shaders()?);
    let surprises = report.lines().filter(|line| line.starts_with("pytorch-surprise")).count();
    ensure!(surprises == 0, "{surprises} surprises");
    report.lines().find(|line| line.starts_with("pytorch-cases")).context("no case ran")?;
    Ok(())
}
