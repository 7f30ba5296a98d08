//! From a crate to what a browser loads.
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds the library of the crate in `folder` for the browser, and puts into `out` its WebAssembly, the JavaScript
/// that loads it (`NAME.js`, a module), and all files of `folder/page`.
pub fn pack(folder: &Path, out: &Path) -> Result<()> {
    add_target()?;
    let module = build(&folder.join("Cargo.toml"))?;
    fs::create_dir_all(out)?;
    Bindgen::new()
        .input_path(&module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .generate(out)
        .with_context(|| format!("the bindings of {}", module.display()))?;
    let page = folder.join("page");
    for file in fs::read_dir(&page).with_context(|| page.display().to_string())? {
        let file = file?;
        fs::copy(file.path(), out.join(file.file_name()))?;
    }
    Ok(())
}

/// Has rustup install the standard library for the browser, where it is not here.
fn add_target() -> Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let folder = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    if Path::new(String::from_utf8(folder.stdout)?.trim()).exists() {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    ensure!(
        added.is_ok_and(|status| status.success()),
        "the standard library of {TARGET} is not here: install it, by `rustup target add {TARGET}` say"
    );
    Ok(())
}

/// The module that cargo makes of a crate's library.
fn build(manifest: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--lib", "--target", TARGET])
        .args(["--message-format", "json-render-diagnostics", "--manifest-path"])
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(built.status.success(), "{} does not build for the browser", manifest.display());
    // a line of JSON for each artifact, the crate's own last
    for line in String::from_utf8(built.stdout)?.lines().rev() {
        let message: Value = serde_json::from_str(line)?;
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(module) = files.map(PathBuf::from).find(|file| file.extension() == Some("wasm".as_ref()))
        {
            return Ok(module);
        }
    }
    bail!("the library of {} is not a `cdylib`", manifest.display())
}
