# The two commands: `make run` and `make test`. Each sets up what it needs and does nothing twice.
.PHONY: run test cluster bench bench-live bench-large build web lint clean
.DEFAULT_GOAL := run

ARGS ?=

# Builds everything and runs it in one process: stream, tables, API and dashboard on http://127.0.0.1:8000.
run: build
	@exec target/release/pagetrack $(ARGS)

# Everything that can be tested, on real servers and in a real browser.
test:
	@tests/run.sh

# A real local Kafka and Cassandra, with the commands that run the distributed mode against them.
cluster: build
	@tests/servers/cluster.sh

# Wanted beside measured, in one run on this machine: rates, and stores of ten thousand and of a million pages.
bench: build
	@tests/bench.sh

# The same of the live feed's subscribers.
bench-live: build
	@tests/bench.sh live

# And of stores of ten million pages. Takes half an hour the first time; stopped, it goes on where it was. What it
# filled stays in .cache/bench-large.
bench-large: build
	@PAGETRACK_BENCH_LARGE=.cache/bench-large tests/bench.sh large

build: web
	cargo build --release --locked --workspace --bins

web: web/dist/index.html

# What Vite runs on, as web/package.json has it.
NODE_FITS := const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)
define need_node
@node -e '$(NODE_FITS)' 2>/dev/null || { echo "the dashboard needs Node 20.19 (or later 20), or 22.12 and later;" \
	"here is $$(node --version 2>/dev/null || echo none)" >&2; exit 1; }
endef

web/node_modules/.package-lock.json: web/package-lock.json
	$(need_node)
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# What the dashboard is built from; what codegen writes is not.
WEB_SOURCES := $(shell find web/src web/public web/graphiql web/docs web/redoc -type f -not -path '*generated*')
WEB_SOURCES += $(wildcard web/*.ts web/*.js web/*.mjs web/*.json web/*.html) graphql/schema.graphql

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	$(need_node)
	cd web && npm run build
	@touch $@

# What CI adds to the tests.
lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Removes all that was built or fetched, and no data.
clean:
	rm -rf target .cache web/dist web/node_modules web/src/generated web/test-results
