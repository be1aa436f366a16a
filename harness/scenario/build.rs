//! Compiles the scenario files into the program, so that it runs from anywhere.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let mut text = String::from(
        "/// Path and text of every built-in file.\nstatic BUILT_IN: &[(&str, &str)] = &[\n",
    );
    for file in files {
        let relative = file.strip_prefix(&root).unwrap_or(&file);
        let relative = relative.to_string_lossy().replace('\\', "/");
        let _ = writeln!(
            text,
            "    ({relative:?}, include_str!({:?})),",
            file.display().to_string()
        );
    }
    text.push_str("];\n");
    let out = std::env::var("OUT_DIR").unwrap_or_default();
    if let Err(error) = std::fs::write(Path::new(&out).join("built_in.rs"), text) {
        println!("cargo::error=cannot write the list of scenarios: {error}");
    }
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, out);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            out.push(path);
        }
    }
}
