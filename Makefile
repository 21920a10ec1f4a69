# Each target brings what it needs: `.ci/setup` installs it and is silent when nothing is missing.
#
#   make demo     the scripted outages, played against real servers, in about a minute
#   make serve    the inventory service and its status page, until you stop it; with TLS (FEATURES=tls)
#                 where REDIS_URL, DATABASE_URL, S3_ENDPOINT, S3_BUCKET or OPENAI_BASE_URL is a real server
#   make test     every test: workspace, doc examples, loom models
#   make test-long  the long forms: 500 requests a second for a minute, through random outages
#   make mutants  circuit-layer with one slip in it at a time: its tests must notice each (hours)
#   make validate numbered checks of the whole of it; writes tests/REPORT.md
#   make staging-check  those that harm nothing, on the servers that the environment names
#   make bench    what a breaker, Redis, S3 and the queue cost, beside the peers
#   make lint     fmt, clippy, docs, cargo-deny        (DENY=skip leaves the last one out)
#   make features circuit-layer builds with all combinations of features, the services lint with each
#   make docs     the API documentation, in target/doc
#   make ci       test and lint

CARGO  ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-workspace test-docs test-loom test-long mutants validate staging-check \
	bench lint features docs ci

help:
	@sed -En 's/^#   (make|  )/\1/p' Makefile

demo:
	@.ci/setup demo
	$(CARGO) run -p examples --bin demo

# TLS more than doubles the build, and what runs here has none. `value`: a password may hold a dollar.
REAL := $(value REDIS_URL)$(value S3_ENDPOINT)$(value S3_BUCKET)$(value OPENAI_BASE_URL)
REAL += $(filter-out postgres sqlite:%,$(value DATABASE_URL))
FEATURES ?= $(if $(strip $(REAL)),tls)

serve:
	@.ci/setup serve
	$(CARGO) run -p examples $(if $(FEATURES),--features $(FEATURES) )--bin serve

# ---- test -----------------------------------------------------------------------------------

test: test-workspace test-docs test-loom

# cargo-nextest is faster and kills a test that hangs, but a bare toolchain lacks it, and cargo's
# own runner proves the same. (`--tests`, not `--all-targets`: that would run the benches.)
test-workspace:
	@.ci/setup test
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -x; $(CARGO) nextest run --workspace --all-features --no-fail-fast; \
	else \
		set -x; $(CARGO) test --workspace --all-features --tests --no-fail-fast; \
	fi

test-docs:
	$(CARGO) test --doc --workspace --all-features

# Our own cfg: `--cfg loom` would reach tokio and every other dependency. Two preemptions find
# nearly all races, and end in seconds.
test-loom:
	RUSTFLAGS="--cfg circuit_loom" LOOM_MAX_PREEMPTIONS=2 $(CARGO) test -p circuit-layer \
		--features test-util --release --lib --target-dir $(TARGET)/loom loom

# Not with --release: that takes ten minutes to build on two cores, and this two and a half.
test-long:
	@.ci/setup test
	LOAD_RATE=500 LOAD_SECONDS=60 $(CARGO) test -p examples --test load -- --nocapture

# What is left out, and why, is in .cargo/mutants.toml; how it went, in circuit-layer/MUTANTS.md.
mutants:
	@.ci/setup mutants
	$(CARGO) mutants -p circuit-layer --no-shuffle -o $(TARGET)

# ---- validate -------------------------------------------------------------------------------

validate:
	@.ci/setup test
	@.ci/setup lint
	$(CARGO) run -p examples --bin validate

staging-check:
	@.ci/setup serve
	$(CARGO) run -p examples --features tls --bin validate -- staging

bench:
	@.ci/setup bench
	$(CARGO) run --release --manifest-path tests/bench/Cargo.toml --target-dir $(TARGET)/bench
	$(CARGO) run --release --manifest-path tests/bench/Cargo.toml --target-dir $(TARGET)/bench \
		--features bound -- table metrics
	$(CARGO) run --release --manifest-path tests/bench/Cargo.toml --target-dir $(TARGET)/bench --bin redis
	$(CARGO) run --release --manifest-path tests/bench/Cargo.toml --target-dir $(TARGET)/bench --bin s3
	$(CARGO) run --release --manifest-path tests/bench/Cargo.toml --target-dir $(TARGET)/bench --bin spool

# ---- lint -----------------------------------------------------------------------------------

lint:
	@.ci/setup lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	$(CARGO) hack clippy -p circuit-layer --feature-powerset --depth 2 --no-dev-deps -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps \
		--document-private-items
ifeq ($(DENY),skip)
	@echo "lint: cargo-deny SKIPPED, because DENY=skip says so"
else
	$(CARGO) deny check bans licenses sources
endif

features:
	@.ci/setup features
	$(CARGO) hack check -p circuit-layer --feature-powerset --no-dev-deps
	$(CARGO) hack clippy -p redis-service -p s3-service -p degradation --each-feature \
		--no-dev-deps --keep-going -- -D warnings

docs:
	$(CARGO) doc --workspace --all-features --no-deps
	@echo "$(TARGET)/doc/circuit_layer/index.html"

ci: test lint
