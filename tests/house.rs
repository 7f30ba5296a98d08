//! The rules of the house: which way dependencies run, where a family of operations lives, and that no match over
//! operations has an arm that swallows the next one.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

use quote::ToTokens;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use syn::visit::{self, Visit};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Rust file under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut found = vec![];
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// The crates of ours that a crate is built on; what only its tests use does not count.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let (mut section, mut found) = (String::new(), BTreeSet::new());
    for line in read(manifest).lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if section == "dependencies" && line.starts_with("firesteel") {
            found.insert(line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[test]
fn dependencies_run_one_way() {
    let core = BTreeSet::from(["firesteel-core".to_owned()]);
    assert_eq!(dependencies(&root().join("backends/core/Cargo.toml")), BTreeSet::new());
    assert_eq!(dependencies(&root().join("backends/derive/Cargo.toml")), BTreeSet::new());
    let mut checked = 0;
    for entry in fs::read_dir(root().join("backends")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !["core", "derive"].contains(&name.as_str()) {
            assert_eq!(dependencies(&folder.join("Cargo.toml")), core, "{name} may know the core alone");
            checked += 1;
        }
    }
    assert!(checked >= 2, "the decorators and a machine are there");
    assert!(dependencies(&root().join("Cargo.toml")).len() > 3, "the root joins them");
}

/// The families, by their stems, and the rooms that hold a file of each.
const FAMILIES: &[(&str, &[&str])] = &[
    ("create", &["tensor", "cpu", "wgpu"]),
    ("view", &["tensor", "infer", "cpu", "wgpu", "autodiff"]),
    ("elementwise", &["tensor", "infer", "cpu", "autodiff"]),
    ("reduce", &["tensor", "infer", "cpu", "wgpu", "autodiff"]),
    ("scan", &["tensor", "cpu", "autodiff"]),
    ("sort", &["tensor", "cpu", "autodiff", "decompose"]),
    ("matmul", &["tensor", "cpu", "wgpu", "autodiff", "decompose"]),
    ("conv", &["tensor", "infer", "cpu", "autodiff"]),
    ("index", &["tensor", "infer", "cpu", "autodiff"]),
    ("join", &["tensor", "infer", "cpu", "autodiff"]),
    ("softmax", &["tensor", "cpu", "wgpu", "autodiff", "decompose"]),
    ("norm", &["tensor", "cpu", "wgpu", "autodiff", "decompose"]),
    ("attention", &["tensor", "cpu", "wgpu", "autodiff", "decompose"]),
    ("loss", &["tensor", "cpu", "wgpu", "autodiff", "decompose"]),
    ("pool", &["tensor", "cpu", "wgpu", "autodiff", "decompose"]),
    ("fft", &["tensor", "cpu", "autodiff", "decompose"]),
    ("chain", &["cpu", "wgpu", "autodiff"]),
    ("custom", &["cpu", "wgpu", "autodiff"]),
    ("require", &["cpu", "wgpu"]),
];

fn room(name: &str) -> PathBuf {
    root().join(match name {
        "tensor" => "backends/core/src/tensor",
        "infer" => "backends/core/src/infer",
        "decompose" => "backends/core/src/decompose",
        "cpu" => "backends/cpu/src",
        "wgpu" => "backends/wgpu/src",
        "autodiff" => "backends/wrap/src/autodiff",
        other => panic!("there is no room {other}"),
    })
}

#[test]
fn a_family_has_one_stem_everywhere() {
    let mut missing = vec![];
    for (family, rooms) in FAMILIES {
        for name in *rooms {
            let (file, folder) = (room(name).join(format!("{family}.rs")), room(name).join(family));
            if !file.exists() && !folder.exists() {
                missing.push(format!("{family} in {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "families without a file of their stem: {missing:?}");
}

/// Finds matches over operations or their kinds that have a catch-all arm.
struct CatchAll {
    file: String,
    found: Vec<String>,
}

/// The enums that a new operation extends.
const OPERATIONS: &[&str] =
    &["Op", "Unary", "Binary", "Compare", "Reduce", "ArgReduce", "Scan", "Scatter", "Fused", "Distribution"];

impl<'ast> Visit<'ast> for CatchAll {
    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let patterns: Vec<String> =
            node.arms.iter().map(|arm| arm.pat.to_token_stream().to_string().replace('(', " ( ")).collect();
        let over_operations = patterns.iter().any(|pattern| {
            OPERATIONS.iter().any(|name| {
                pattern.split_whitespace().collect::<Vec<_>>().windows(2).any(|w| w == [*name, "::"])
            })
        });
        let catches = node.arms.iter().any(|arm| matches!(arm.pat, syn::Pat::Wild(_)));
        if over_operations && catches {
            self.found.push(format!(
                "{}: match {}",
                self.file,
                patterns.first().cloned().unwrap_or_default()
            ));
        }
        visit::visit_expr_match(self, node);
    }
}

/// Matches that may have one, by their file: fast paths and refusals, which hand on what they do not know.
const EXCEPTIONS: &[(&str, usize, &str)] = &[
    ("backends/cpu/src/chain/registers.rs", 2, "what there is no instruction for has a loop"),
    ("backends/cpu/src/chain/steps.rs", 3, "what is not element-wise is refused, or goes on as it is"),
    (
        "backends/cpu/src/fused.rs",
        2,
        "what has no kernel is refused, and `has_kernel` beside it is exhaustive",
    ),
    ("backends/cpu/src/lib.rs", 1, "every primitive is taken whole, by the exhaustive match below"),
    ("backends/cpu/src/update.rs", 1, "what is not done in place runs and replaces"),
    ("backends/cpu/src/elementwise/float.rs", 1, "what takes no factors is refused"),
    (
        "backends/cpu/src/elementwise/step.rs",
        3,
        "how long an operation takes, what `chain` refuses, and what has no loop to be found once",
    ),
    ("backends/wgpu/src/chain.rs", 5, "what is not element-wise is refused, or has no text"),
    ("backends/wgpu/src/lib.rs", 1, "every primitive is taken whole, by the exhaustive match below"),
    ("backends/wgpu/src/update.rs", 1, "what is not done in place runs and replaces"),
    ("backends/wrap/src/autodiff/written.rs", 1, "an operation that needs no change goes on as it is"),
];

#[test]
fn no_match_over_operations_has_a_catch_all_arm() {
    let rooms = [
        root().join("backends/core/src/op"),
        root().join("backends/core/src/infer"),
        root().join("backends/wrap/src/autodiff"),
        root().join("backends/cpu/src"),
        root().join("backends/wgpu/src"),
    ];
    let mut found = vec![];
    for path in rooms.iter().flat_map(|folder| sources(folder)) {
        let parsed = syn::parse_file(&read(&path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        let mut search = CatchAll { file, found: vec![] };
        search.visit_file(&parsed);
        let excepted =
            EXCEPTIONS.iter().find(|(path, ..)| *path == search.file).map_or(0, |(_, count, _)| *count);
        if search.found.len() != excepted {
            found.extend(search.found);
        }
    }
    assert!(found.is_empty(), "catch-all arms over operations:\n{}", found.join("\n"));
}

#[test]
fn the_search_for_catch_all_arms_finds_one() {
    let code = "fn f(op: Op<u8>) -> u8 { match op { Op::Cast(x, _) => x, _ => 0 } }";
    let mut search = CatchAll { file: "code".into(), found: vec![] };
    search.visit_file(&syn::parse_file(code).unwrap());
    assert_eq!(search.found.len(), 1);
}
