#!/usr/bin/env bash
# Runs one fuzz target: ./run.sh schema|document [SECONDS]. Works with stable Rust: the coverage instrumentation that
# cargo-fuzz would switch on is asked for directly. New inputs stay in a temporary folder; crashes land beside this.
set -euo pipefail
cd "$(dirname "$0")"
target=${1:?usage: run.sh TARGET [SECONDS]}
seconds=${2:-600}
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
flags="$flags -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="$flags" cargo build --quiet --release --target "$host" --bin "$target"
found=$(mktemp -d)
"target/$host/release/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=20000 -print_final_stats=1 "$found" "corpus/$target"
rm -rf "$found"
