# ScaiGrid. `make help` lists what there is; the steps are small files in scripts/.

SHELL := /bin/bash
.DEFAULT_GOAL := help

version := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
web_sources := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/e2e/*' 2>/dev/null)

help: ## this list
	@echo "ScaiGrid: chat bots that answer from your own documents, on any web page."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build what is needed, start the server with the demo bot and a sample site
	@echo "run: starting bin/scaigrid serve --demo (Ctrl-C ends it; data stays in ./data)"
	@exec bin/scaigrid serve --demo

test: ## everything that must hold: format, lint, rings, Go with -race on both databases, TypeScript, browser
	@scripts/test.sh

test-long: ## test, then what takes long: every fuzz target for a minute, the long tests
	@scripts/test.sh
	@scripts/test-long.sh

build: web ## bin/scaigrid, one file with the web files inside
	@scripts/toolchain.sh
	@echo "build: bin/scaigrid $(version)"
	@CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(version)" -o bin/scaigrid ./cmd/scaigrid

web: web/node_modules/.built ## the widget's files, in web/dist

lint: tools web ## what is wrong in Go and TypeScript, without running it
	@scripts/lint.sh

fmt: tools ## format Go and TypeScript in place
	@scripts/format.sh --write

generate: ## write again what is made from the code: the configuration reference
	@go run ./cmd/scaigrid config doc > docs/reference/configuration.md

tools: ## build the pinned Go tools into .tools/
	@scripts/tools.sh

clean: ## remove what was built; ./data, where conversations are kept, stays
	rm -rf bin .tools .build web/dist/* web/node_modules/.built

web/node_modules/.installed: web/package-lock.json
	@scripts/toolchain.sh
	@echo "web: installing npm packages from the lock file"
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/node_modules/.built: web/node_modules/.installed $(web_sources)
	@echo "web: building the widget"
	@cd web && npm run --silent build && npm run --silent reference
	@touch $@

.PHONY: help run test test-long build web lint fmt generate tools clean
