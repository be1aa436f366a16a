# Parlance: `make run` and `make test` are all that is needed; the rest is for maintainers.

CARGO   ?= cargo
PARLANCE = $(CARGO) run --quiet --package parlance --bin parlance --
SELECT  ?=
ENDPOINTS ?= 5000
CHATS   ?= 20
SUITE   ?= ../shared/xsts

.PHONY: run test fmt lint check docs snapshots kill-matrix xsts bench install clean

# The harness against its own chat server, over real TLS 1.3 on loopback; writes reports/latest/.
run:
	@$(PARLANCE) run $(SELECT)

# Everything CI runs: format, lints, unit, property, golden and end-to-end tests.
test: fmt lint
	$(CARGO) test --workspace --no-fail-fast
	@$(CARGO) run --quiet --package xsd --example xsts -- $(SUITE) --quiet --level docs/xsts-level.tsv
	@$(CARGO) run --quiet --package scenario --example kill-matrix -- --level docs/kill-level.tsv

fmt:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# Fast feedback while editing.
check:
	$(CARGO) check --workspace --all-targets

# What is generated from the code: docs/reference/.
docs:
	@mkdir -p docs/reference
	@$(PARLANCE) reference > docs/reference/.cli.md && mv docs/reference/.cli.md docs/reference/cli.md

# Accepts the exchanges of both self runs as they are now; read the diff before you commit it.
snapshots:
	@env -u CI $(PARLANCE) run --quiet --update-snapshots
	@env -u CI $(PARLANCE) run --quiet --update-snapshots --seat server
	@$(PARLANCE) snapshot orphans --remove

# A part of the W3C XML Schema Test Suite: agreement by set, and each disagreement with its reason (docs/xsts.md).
xsts:
	@$(CARGO) run --quiet --package xsd --example xsts -- $(SUITE)

# Also the mock: ENDPOINTS over TLS in one room, CHATS fanned out to all of them (needs `ulimit -n` above ENDPOINTS).
# The schema engine beside libxml2 and Xerces, as ratios from one run. PYTHON names an interpreter with lxml.
bench:
	@$(CARGO) run --quiet --release --manifest-path bench/Cargo.toml
	@$(CARGO) run --quiet --release --package peer --example load -- $(ENDPOINTS) $(CHATS)

install:
	$(CARGO) install --path harness/cli --locked

clean:
	$(CARGO) clean
	rm -rf reports/latest

# Plays the suites against every defect; writes reports/kill-matrix.html and .json. In the profile of the tests, so
# that nothing is compiled twice for it.
kill-matrix:
	@$(CARGO) run --quiet --package scenario --example kill-matrix -- --level docs/kill-level.tsv
