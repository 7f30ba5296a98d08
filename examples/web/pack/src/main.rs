//! Makes the folder of the example's page, or of another crate's:
//!
//!     cargo run -p firesteel-pack                         # target/web
//!     cargo run -p firesteel-pack -- --serve              # and serves it at http://localhost:8000
//!     cargo run -p firesteel-pack -- path/to/crate --serve
use anyhow::{Result, bail};
use std::{env, path::PathBuf, thread};

fn main() -> Result<()> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../..")).canonicalize()?;
    let (mut folder, mut serve) = (root.join("examples/web"), false);
    for argument in env::args().skip(1) {
        match &argument[..] {
            "--serve" => serve = true,
            option if option.starts_with('-') => bail!("usage: [crate's folder] [--serve]"),
            path => folder = path.into(),
        }
    }
    let out = root.join("target/web");
    firesteel_pack::pack(&folder, &out)?;
    println!("{} is ready for any server of static files", out.display());
    if serve {
        println!("http://localhost:{}", firesteel_pack::serve(out, 8000)?.port());
        loop {
            thread::park();
        }
    }
    Ok(())
}
