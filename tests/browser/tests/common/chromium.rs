//! A headless Chromium with WebGPU, which computes on the processor where there is no GPU.
#[path = "../../../../backends/wgpu/tests/common/apt.rs"]
mod apt;

use super::webdriver::Session;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    ops::Deref,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// How Chromium is started: without a window, as root too, and without a word to the network.
const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
];

/// A browser of the test's own. It ends with this.
pub struct Chromium {
    session: Session,
    driver: Child,
    profile: PathBuf,
}

impl Chromium {
    /// Starts one with a window of so many pixels, and installs it first where it is not here.
    pub fn start(width: u32, height: u32) -> Result<Self> {
        install();
        let profile = new_profile()?;
        let mut driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn()?;
        let port = port(&mut driver)?;
        let own =
            [format!("--window-size={width},{height}"), format!("--user-data-dir={}", profile.display())];
        let arguments: Vec<_> = ARGUMENTS.into_iter().map(str::to_owned).chain(own).collect();
        let capabilities = json!({ "goog:chromeOptions": { "args": arguments } });
        let session = Session::new(&format!("http://localhost:{port}"), &capabilities);
        let session = session.inspect_err(|_| end(&mut driver, &profile))?;
        session.post("/timeouts", &json!({ "script": 60_000, "pageLoad": 60_000 }))?;
        Ok(Self { session, driver, profile })
    }

    /// A command of <https://chromedevtools.github.io/devtools-protocol/>.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }
}

impl Deref for Chromium {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // a browser that is gone already needs no closing
        self.session.close().ok();
        end(&mut self.driver, &self.profile);
    }
}

/// Ends a driver, and forgets what its browser kept.
fn end(driver: &mut Child, profile: &Path) {
    driver.kill().and_then(|()| driver.wait()).ok();
    fs::remove_dir_all(profile).ok();
}

/// The port that the driver says it listens at.
fn port(driver: &mut Child) -> Result<u16> {
    let output = driver.stdout.take().context("chromedriver without an output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Ok(port.trim_end_matches('.').parse()?);
        }
    }
    anyhow::bail!("chromedriver ended before it listened")
}

/// A new empty folder.
fn new_profile() -> Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("chromium-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = env::temp_dir().join(name);
    fs::create_dir(&folder)?;
    Ok(folder)
}

/// Installs Chromium and its driver where they are not here, as far as that is allowed. A machine that then has none
/// fails the tests: they need one.
fn install() {
    let is_here = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if is_here("chromium") && is_here("chromedriver") {
        return;
    }
    apt::install(&["chromium", "chromium-driver"]);
}
