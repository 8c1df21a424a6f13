# `make demo` shows Reeve with a live fleet; `make test` sets up what it needs
# and runs every check that CI runs. Both work on a fresh machine with Go, gcc,
# g++ and Node.

GO        ?= go
GOFUMPT    = $(GO) run mvdan.cc/gofumpt@v0.12.0
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULN     = $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0

# Packages without C code run under the race detector; one set of flags each
# keeps the build cache small. vet has a target of its own, and nobody debugs
# these programs. SQLite's translated C and regular expressions start no
# goroutines of ours: watching their every access took most of the time.
TEST_FLAGS = -timeout 20m -vet=off -ldflags='-s -w'
RACE_FLAGS = -race $(TEST_FLAGS) -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false -gcflags=regexp=-race=false
RACE_PKGS = $(shell $(GO) list ./... | grep -v -e /telemetry/duck -e /internal/app -e /internal/cli -e /cmd/ -e /internal/bench -e /internal/testkit)
REST_PKGS = $(shell $(GO) list ./... | grep -e /telemetry/duck -e /internal/app -e /internal/cli -e /cmd/ -e /internal/bench -e /internal/testkit)

.PHONY: pillars conformance-mcp zlint demo serve build test lint unit race reference ui ui-check e2e crash clients bench quickstart governed generate vuln clean help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## console with a live fleet at http://127.0.0.1:7300
	$(GO) run ./cmd/reeve demo

serve: ## a plain server on loopback without tokens
	$(GO) run ./cmd/reeve serve --dev

build: ## bin/reeve
	$(GO) build -o bin/reeve ./cmd/reeve

test: lint unit race reference ui-check quickstart governed e2e crash ## every check that CI runs
	@echo "all checks passed"

lint: ## gofumpt, vet, staticcheck
	@out=$$($(GOFUMPT) -l cmd client internal web/*.go examples); if [ -n "$$out" ]; then echo "run gofumpt on:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(STATICCHECK) ./...

unit: ## tests of the packages that link C code
	$(GO) test $(TEST_FLAGS) $(REST_PKGS)

race: ## tests of all other packages, under the race detector
	$(GO) test $(RACE_FLAGS) $(RACE_PKGS)

reference: ## policies: 10,000 random decisions against Cedar's own engine
	cd internal/policy/testdata/wasm && npm ci --no-audit --no-fund
	REEVE_REFERENCE=1 $(GO) test ./internal/policy -run TestReference -count 1

ui: web/node_modules/.stamp ## rebuild the console into web/dist
	cd web && npm run build

ui-check: web/node_modules/.stamp ## console: types, tests, budget, and that web/dist is what the source builds
	cd web && npm test && npm run build
	@git diff --exit-code --stat -- web/dist || { echo "web/dist differs from its source: run 'make ui' and commit it"; exit 1; }
	@test -z "$$(git status --porcelain -- web/dist)" || { git status --porcelain -- web/dist; echo "web/dist has files that are not committed: run 'make ui' and commit them"; exit 1; }

web/node_modules/.stamp: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

e2e: build web/node_modules/.stamp ## browser tests against a real server
	scripts/chromium.sh
	scripts/e2e.sh

quickstart: web/node_modules/.stamp ## the README's first five minutes, timed from the build to the console
	scripts/chromium.sh
	GO="$(GO)" scripts/quickstart.sh

governed: build ## an empty folder to a governed call, a refusal and an alert, timed
	scripts/governed.sh

conformance-mcp: build ## the official MCP suite, both sets, with and without the door
	scripts/conformance-mcp.sh $(SUITE)

pillars: ## register to lesson in one story, by ids, through kill -9, with stubs of four vendors
	$(GO) test ./internal/app -run 'TestPillars$$' -count 1 -v

crash: build ## kill -9 under load 50 times, then count (ROUNDS=5 for a short run)
	scripts/crash.sh $(or $(ROUNDS),50)

clients: build ## real, unmodified clients against a server (CLIENTS=a folder of drivers)
	scripts/clients.sh $(CLIENTS)

zlint: build ## zlint's remarks on our certificates: there are none
	scripts/zlint.sh

bench: build ## the ingest benchmark (SPANS=1000000)
	scripts/bench.sh $(or $(SPANS),1000000)

generate: web/node_modules/.stamp ## rewrite generated files: docs, OpenAPI, client methods, the console's types
	$(GO) test ./internal/app -run ConfigurationPage -update
	$(GO) test ./internal/arch -update
	$(GO) test ./internal/api -run Generated -update
	cd web && npm run types

vuln: ## known vulnerabilities (needs Go's vulnerability database)
	$(GOVULN) ./...

clean: ## remove what builds made
	rm -rf bin web/node_modules
