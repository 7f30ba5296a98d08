//! What the tests of the browser share.
mod chromium;
mod webdriver;

pub use chromium::Chromium;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Packs the crate in a folder of the repository, and serves it with these files beside it: its address.
pub fn serve(folder: &str, files: &[&str]) -> Result<String> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    firesteel_pack::pack(&root().join(folder), &out)?;
    for file in files {
        let file = root().join(file);
        std::fs::copy(&file, out.join(file.file_name().context("no name")?))?;
    }
    Ok(format!("http://{}", firesteel_pack::serve(out, 0)?))
}

/// Notes every shader that a page gives to the browser, and what its compiler says of it.
const WATCH: &str = r#"
    globalThis.shaders = [];
    if (globalThis.GPUDevice) {
      const create = GPUDevice.prototype.createShaderModule;
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        const shader = create.call(this, descriptor);
        shaders.push({ ...descriptor, info: shader.getCompilationInfo() });
        return shader;
      };
    }"#;

/// The complaints of the browser's compiler, each with the line that it is about.
const COMPLAINTS: &str = r#"
    const told = [];
    for (const { label, code, info } of shaders)
      for (const { type, lineNum, message } of (await info).messages)
        told.push(`${label}: ${type}: ${message}: ${code.split("\n")[lineNum - 1]}`);
    return { count: shaders.length, told };"#;

impl Chromium {
    /// Notes the shaders of all pages from now on, for [`check_shaders`](Self::check_shaders).
    pub fn watch_shaders(&self) -> Result<()> {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WATCH })).map(|_| ())
    }

    /// How many shaders the page has given to the browser's compiler, which has to accept them all without a word.
    pub fn check_shaders(&self) -> Result<u64> {
        let said = self.script(COMPLAINTS)?;
        let told: Vec<&str> =
            said["told"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        ensure!(told.is_empty(), "{} complaints of Chromium's compiler:\n{}", told.len(), told.join("\n"));
        said["count"].as_u64().context("no count")
    }
}
