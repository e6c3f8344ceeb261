# SPDX-License-Identifier: Apache-2.0

BIN   := sigtrace
SUDO  := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
ARGS  ?=
# Tests run as root with root's own caches: in the user's, what they write could
# not be replaced by the user's next build. sudo passes on what is named here.
KEPT    := SEED SCENARIO KUBE_VERSION SUITE SIZE
AS_ROOT  = $(SUDO) env PATH="$$PATH" GOPROXY="$$(go env GOPROXY)" GOFLAGS="$$GOFLAGS" $(foreach v,$(KEPT),$(if $($(v)),$(v)='$($(v))'))
export GOFLAGS := -buildvcs=auto

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./sigtrace (needs Go alone: the BPF objects are committed)
	@case "$$(go env GOVERSION 2>/dev/null)" in \
	"") echo "make: building sigtrace needs Go 1.21 or later, and there is no go command: see https://go.dev/dl" >&2; exit 1;; \
	go1.[0-9]|go1.[0-9].*|go1.1[0-9]|go1.1[0-9].*|go1.20|go1.20.*) echo "make: $$(go env GOVERSION) is too old to build sigtrace, or to fetch a newer Go: install Go 1.21 or later, see https://go.dev/dl" >&2; exit 1;; esac
	CGO_ENABLED=0 go build -trimpath -o $(BIN) ./cmd/sigtrace

.PHONY: run
run: build ## build what is missing and watch (ARGS="--pod foo")
	$(SUDO) ./$(BIN) $(ARGS)

.PHONY: test-deps
test-deps: ## install what the tests need (Debian packages)
	SUDO="$(SUDO)" ./internal/test/install-deps

# The live ring is every package with tests that need root: they ask for the
# effective uid and skip themselves without it. internal/test/live holds no others,
# so that the unit ring leaves it out. The cluster tests have a build tag.
NOT_UNIT := /internal/test/live$$
NEED_ROOT  = $(sort $(dir $(shell git grep -lF os.Geteuid -- 'cmd/*_test.go' 'internal/*_test.go' ':!internal/test/cluster')))

.PHONY: unit
unit: ## run the unit tests: seconds, no root, nothing to install
	go test $$(go list ./... | grep -v '$(NOT_UNIT)')

.PHONY: live
live: test-deps ## install what the tests need, run the tests that need root
	$(AS_ROOT) go test -race -count=1 -timeout 40m $(addprefix ./,$(NEED_ROOT))

.PHONY: test
test: test-deps ## install what the tests need, run unit tests and live tests
	$(AS_ROOT) go test -race -count=1 -timeout 40m ./...
	$(AS_ROOT) go test -C deploy -race -count=1 ./...

.PHONY: fuzz
fuzz: ## run every fuzz target (TIME=30s each, RUN=FuzzReplay, PLANTED=1: does each find a planted fault?)
	./internal/test/fuzz-all "$(or $(TIME),30s)" "$(RUN)" "$(PLANTED)"

.PHONY: lint
lint: check-headers ## gofmt, go vet, staticcheck, shellcheck, clang-format, check-headers
	@test -z "$$(gofmt -l $$(git ls-files '*.go' | grep -v _bpfel))" || { gofmt -l . ; exit 1; }
	go vet ./...
	go run ./internal/test/layering > /dev/null
	go vet -C deploy ./...
	go vet -C docs/schema/gen ./...
	go vet -tags cluster,agent ./internal/test/cluster/...
	go vet -tags hostile ./internal/test/live
	go tool staticcheck ./...
	staticcheck=$$(go tool -n staticcheck) && cd deploy && "$$staticcheck" ./...
	staticcheck=$$(go tool -n staticcheck) && cd docs/schema/gen && "$$staticcheck" ./...
	go tool staticcheck -tags cluster,agent ./internal/test/cluster/...
	shellcheck $$(git grep -lE '^#!/(usr/)?bin/(env )?(ba)?sh$$')
	clang-format-19 --style=file:bpf/.clang-format --dry-run --Werror bpf/*.[ch] internal/test/zoo/*.[ch] internal/test/hostile/*.c

.PHONY: check-headers
check-headers: ## does each BPF header include what it needs, and compile alone?
	./bpf/check-headers clang-19

.PHONY: check-libbpf
check-libbpf: ## are the vendored libbpf headers those of the Debian package in bpf/libbpf/VERSION?
	./bpf/libbpf/update --check

.PHONY: layering
layering: ## how many references between a package's files run upwards, held against the limits (ARGS=-v)
	go run ./internal/test/layering $(ARGS)

.PHONY: generate
generate: ## rebuild the BPF objects with the pinned compiler
	go generate ./internal/tracer

.PHONY: schema
schema: ## write docs/schema/v1.json from the Go types and docs/contract.md
	cd docs/schema/gen && go run . > ../v1.json.new && mv ../v1.json.new ../v1.json

.PHONY: check-schema
check-schema: ## is the JSON schema what its sources give, and is the output of every recording valid?
	go test -C docs/schema/gen -count=1 ./...

.PHONY: check-generate
check-generate: generate check-schema ## are the committed BPF objects and JSON schema what the sources give?
	git diff --exit-code --stat -- 'internal/tracer/*_bpfel.*'

.PHONY: bench
bench: build test-deps ## measure what it costs, against sigsnoop and bpftrace (ARGS="-only start")
	$(AS_ROOT) go run ./internal/test/bench $(ARGS)

.PHONY: zoo
zoo: test-deps ## let every way to die happen and print the board: expected, got, total
	$(AS_ROOT) go test -count=1 -v -run TestZoo ./internal/test/live

.PHONY: zoo-busy
zoo-busy: test-deps ## the zoo 20 times with all cores busy: unknown is allowed there, wrong is not (REPEAT=20)
	$(AS_ROOT) ./internal/test/zoo/busy $(or $(REPEAT),20)

SUPERVISORS := /var/cache/sigtrace-supervisors

.PHONY: supervisors
supervisors: build ## run supervisors and servers, judge their verdicts, write docs/supervisors.md (ARGS="-only '^nginx/' -v")
	$(AS_ROOT) ./internal/test/supervisors/unpack $(SUPERVISORS)
	$(AS_ROOT) go run ./internal/test/supervisors -unpacked $(SUPERVISORS) $(ARGS)

.PHONY: hostile
hostile: test-deps ## attack the agent from containers while others die: is each death reported in time? (SEED=1, as printed)
	$(AS_ROOT) go test -tags hostile -count=1 -v -timeout 10m -run TestHostile ./internal/test/live

# In a guest, where nobody else dies, and no path tells of this machine.
.PHONY: record
record: test-deps ## record what the zoo and the container tests do anew, for the golden replays (GUESTS=6.12-v2)
	rm -rf build/record
	GUESTS=$(or $(GUESTS),6.12-v2) GROUP=zoo,containers LOGS="$(CURDIR)/build/record" go run ./internal/test/guest
	./internal/test/guest/take build/record
	go test -count=1 ./internal/recording -update

.PHONY: test-vm
test-vm: test-deps ## the tests in guests (KERNEL="5.10 6.1 6.12 sid uml" CGROUP="v2 v1" GROUP=zoo,live JOBS=2 UPDATE=1 COVER=1)
	go run ./internal/test/guest

.PHONY: test-vm-ci
test-vm-ci: test-deps ## what of it fits into CI's time
	GUESTS="5.10-v2 6.1-v2 6.12-v2 sid-v2 6.1-v1 uml-v2" GROUP=check,budget,zoo,guest,floor go run ./internal/test/guest

.PHONY: release
release: ## static amd64 and arm64 archives of the commit, with checksums, in build/release
	./release/build build/release

.PHONY: arm64-deps
arm64-deps: ## install what it takes to run arm64 here (Debian packages)
	SUDO="$(SUDO)" ./internal/test/install-deps arm64

.PHONY: check-release
check-release: arm64-deps ## is the release reproducible byte for byte, static, and does it run?
	./release/check

# Prometheus' tools, out of its package and not installed: that would run a server.
PROMETHEUS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sigtrace/prometheus

.PHONY: deploy-deps
deploy-deps:
	SUDO="$(SUDO)" ./deploy/install-check-deps $(PROMETHEUS)

.PHONY: image
image: deploy-deps ## build the container image, dist/image/sigtrace-ARCH.tar (ARCHES="amd64 arm64")
	./deploy/build-image $(ARCHES)

.PHONY: check-deploy
check-deploy: deploy-deps ## are manifests, alert rules, dashboard, systemd unit and image sound?
	env CHECK_DEPLOY=1 PATH="$(PROMETHEUS)/usr/bin:$$PATH" go test -C deploy -count=1 ./...

.PHONY: vagrant-deps
vagrant-deps: ## install Vagrant and libvirt (Debian packages)
	SUDO="$(SUDO)" ./internal/test/install-deps vagrant

.PHONY: check-vagrant
check-vagrant: vagrant-deps ## is the Vagrantfile valid?
	vagrant validate --ignore-provider

.PHONY: vagrant-box
vagrant-box: vagrant-deps ## make a box for libvirt from Debian's packages, and add it as sigtrace/local
	$(AS_ROOT) ./internal/test/vagrant/mkbox build/vagrant/local.box
	vagrant box add --force --name sigtrace/local build/vagrant/local.box

.PHONY: test-kube
test-kube: test-deps ## Kubernetes' own reasons, in a real cluster (SCENARIO=liveness KUBE_VERSION=1.33.13)
	$(AS_ROOT) go test -tags cluster -count=1 -v -timeout 30m -parallel 10 ./internal/test/cluster

.PHONY: test-kube-agent
test-kube-agent: test-deps deploy-deps ## the real DaemonSet in such a cluster: logs, files, Events, why and Prometheus must agree
	$(AS_ROOT) PROMETHEUS="$(PROMETHEUS)/usr/bin/prometheus" \
		go test -tags cluster,agent -count=1 -v -timeout 30m -run TestDaemonSet ./internal/test/cluster

.PHONY: kube-up
kube-up: test-deps ## hold such a cluster until ^C and tell how to reach it (ARGS=-standalone)
	$(AS_ROOT) ./internal/test/cluster/hold $(ARGS)

.PHONY: test-arm64
test-arm64: arm64-deps ## the unit tests of arm64, under qemu-user
	./internal/test/qemu-user/run

.PHONY: test-vagrant
test-vagrant: vagrant-deps ## the guests' groups of tests in a Vagrant machine (BOX=debian12 GROUP=check,tracer,zoo PREBUILT=1 DRIVER=qemu)
	./internal/test/vagrant/run
