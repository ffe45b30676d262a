# Everything that CI runs is a target here; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_VERSION := v2.15.0
GOLANGCI := .bin/golangci-lint-$(GOLANGCI_VERSION)
FUZZTIME ?= 60s
SOURCES = $$(find . -name '*.go' -not -path './.*')

# Downloads fail now and then; three attempts, then the error counts.
retry = for i in 1 2 3; do $(1) && break || { [ $$i -lt 3 ] && sleep $$((i * 5)); } || exit 1; done

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## a centre and two simulated sites with their boards; Ctrl-C stops all
	@go build -o .bin/axlegate ./cmd/axlegate
	@.bin/axlegate demo

.PHONY: test
test: ## all tests with the race detector; installs the servers that they need where missing
	@go run ./internal/testenv/install
	go test -race -timeout 20m ./...

.PHONY: race
race: test ## the same as test: every run here has the race detector

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (60s)
	@grep -rlE '^func Fuzz[A-Za-z0-9_]+\(' --include='*_test.go' . | sort | while read -r file; do \
		grep -oE '^func Fuzz[A-Za-z0-9_]+' "$$file" | sed 's/^func //' | while read -r target; do \
			echo "== $$(dirname "$$file") $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "$$(dirname "$$file")"; \
		done; \
	done

TELEGRAF := .bin/telegraf-v1.37.2

# The peer of the intake, with the two plugins that it is measured with; it is no dependency of the module.
$(TELEGRAF):
	@mkdir -p .bin
	@$(call retry,GOBIN=$(CURDIR)/.bin/peer go install -tags custom$(comma)inputs.mqtt_consumer$(comma)outputs.postgresql$(comma)parsers.json github.com/influxdata/telegraf/cmd/telegraf@v1.37.2)
	@mv .bin/peer/telegraf $@

comma := ,

.PHONY: bench-peers
bench-peers: $(TELEGRAF) ## the programs that benches run beside ours

.PHONY: bench
bench: bench-peers ## what is claimed to be fast, each beside a named peer
	@go run ./internal/testenv/install
	go test -run '^$$' -bench . -benchmem $$(grep -rlE '^func Benchmark' --include='*_test.go' . | xargs -r -n1 dirname | grep -v '/internal/bench' | sort -u)
	go test -run '^$$' -bench . -benchmem -v ./internal/bench
	cd internal/bench/peers && go vet . && go test -v -bench . -benchmem . # first that all engines find the same; needs the module proxy, so no part of lint and test

.PHONY: lint
lint: $(GOLANGCI) ## gofmt, go vet and golangci-lint
	@unformatted=$$(gofmt -l $(SOURCES)); if [ -n "$$unformatted" ]; then echo "not formatted; run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(GOLANGCI) run --allow-parallel-runners ./...

$(GOLANGCI):
	@$(call retry,GOFLAGS= GOBIN=$(CURDIR)/.bin/tmp go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION))
	@mv .bin/tmp/golangci-lint $@ && rmdir .bin/tmp

.PHONY: vuln
vuln: ## known vulnerabilities in what we use; needs the network
	go run golang.org/x/vuln/cmd/govulncheck@latest ./...

.PHONY: e2e
e2e: ## from the simulator's ground truth to the centre's store, with faults on the way
	go test -race -run TestEndToEnd -count=1 -v ./internal/e2e

SEED ?= 1
MINUTES ?= 5

.PHONY: chaos
chaos: ## a seeded run that breaks everything while traffic passes, and its audit; SEED=n MINUTES=n
	@go run ./internal/testenv/install
	@go test -count=1 -timeout 0 -v -run '^TestChaos$$' ./internal/chaos -seed=$(SEED) -minutes=$(MINUTES) $(CHAOS)
	@go test -count=1 -v -run '^TestHundredsOfSitesComeBackAfterTheBrokerRestarts$$' ./uplink/mqtt -storm=1000 | grep -E 'sites were back|^(ok|FAIL|---)'

.PHONY: chaos-proof
chaos-proof: ## the same with planted bugs, each of which the run must find
	@go run ./internal/testenv/install
	@go test -count=1 -timeout 0 -v -run '^TestChaosProof$$' ./internal/chaos -proof

.PHONY: cover
cover: ## coverage by function, and coverage.html
	go test -coverprofile=coverage.out -coverpkg=./... ./...
	go tool cover -func=coverage.out | tail -1
	go tool cover -html=coverage.out -o coverage.html

.PHONY: golden
golden: ## write the golden files anew; look at the diff before you commit it
	@grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -r -n1 dirname | sort -u | while read -r room; do go test "$$room" -update; done

.PHONY: build
build: ## the four programs into bin/
	go build -trimpath -o bin/ ./cmd/...

.PHONY: tidy
tidy: ## gofmt all, go.mod and go.sum in order
	gofmt -w $(SOURCES)
	go mod tidy

.PHONY: clean
clean: ## what the targets above have made; keeps .bin/
	rm -rf bin coverage.out coverage.html
