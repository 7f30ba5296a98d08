//! The page of `examples/web` in a real browser: a seven is drawn on it, and read.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use anyhow::{Context, Result, ensure};
use common::{Chromium, serve};
use serde_json::Value;
use std::{path::Path, thread::sleep, time::Duration};

/// A seven, as one hand writes it.
const SEVEN: [[f64; 2]; 4] = [[-0.45, -0.6], [0.0, -0.6], [0.45, -0.6], [-0.1, 0.65]];

/// What the page shows.
const SHOWN: &str = r##"
    const find = (id) => document.getElementById(id);
    const percents = [...document.querySelectorAll("#bars .percent")].map((part) => parseFloat(part.textContent));
    const { state } = find("backend").dataset;
    return { state, backend: find("backend").textContent, answer: find("answer").value, percents };"##;

/// Waits until the page shows what is wanted.
fn wait(browser: &Chromium, what: &str, is_there: impl Fn(&Value) -> bool) -> Result<Value> {
    let mut shown = Value::Null;
    for _ in 0..300 {
        shown = browser.script(SHOWN)?;
        ensure!(shown["state"] != "failed", "the page says: {}", shown["backend"]);
        if is_there(&shown) {
            return Ok(shown);
        }
        sleep(Duration::from_millis(200));
    }
    anyhow::bail!("no {what} in a minute: {shown}")
}

/// Draws a seven on the page, reads what it says, and gives the number of shaders that took.
fn reads_a_seven(address: &str, backend: &str, window: [u32; 2]) -> Result<u64> {
    let browser = Chromium::start(window[0], window[1])?;
    browser.watch_shaders()?;
    browser.open(&format!("{address}/?backend={backend}"))?;
    let ready = wait(&browser, "network", |shown| shown["state"] == "ready")?;
    let runs = ready["backend"].as_str().context("no backend")?.to_lowercase();
    ensure!(runs.contains(backend), "{runs:?} is not {backend}");
    ensure!(ready["answer"] == "?", "nothing is drawn, and {} is read", ready["answer"]);

    browser.draw("#paper", &SEVEN)?;
    let read = wait(&browser, "seven", |shown| shown["answer"] == "7");
    // the bars have moved
    sleep(Duration::from_millis(500));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("page-{backend}.png"));
    browser.screenshot(&file)?;
    let read = read?;
    println!("{}: {read}", file.display());
    let percents: Vec<f64> =
        read["percents"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let sum: f64 = percents.iter().sum();
    ensure!(percents.len() == 10 && (sum - 100.).abs() < 1., "not probabilities: {percents:?}");

    browser.script(r#"document.getElementById("clear").click()"#)?;
    wait(&browser, "clear paper", |shown| shown["answer"] == "?")?;
    browser.check_shaders()
}

#[test]
fn a_seven_is_read_as_a_seven_on_webgpu_and_on_the_cpu() -> Result<()> {
    let address = serve("examples/web", &[])?;
    let shaders = reads_a_seven(&address, "webgpu", [900, 860])?;
    ensure!(shaders > 0, "no shader was compiled: who computed?");
    println!("Chromium's compiler accepts all {shaders} shaders of the page");
    // on the screen of a phone
    let shaders = reads_a_seven(&address, "cpu", [390, 844])?;
    ensure!(shaders == 0, "the CPU ran {shaders} shaders");
    Ok(())
}
