# The two commands: `make run` and `make test`. Each sets up what it needs and does nothing twice.
.PHONY: run test cluster bench build web lint clean
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

# Wanted beside measured, in one run on this machine.
bench: build
	@tests/bench.sh

build: web
	cargo build --release --locked --workspace --bins

web: web/dist/index.html

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

# What the dashboard is built from; what codegen writes is not.
WEB_SOURCES := $(shell find web/src web/public web/graphiql -type f -not -path '*generated*')
WEB_SOURCES += $(wildcard web/*.ts web/*.js web/*.mjs web/*.json web/*.html) graphql/schema.graphql

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run build
	@touch $@

# What CI adds to the tests.
lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

clean:
	rm -rf target web/dist web/node_modules
