// SPDX-License-Identifier: Apache-2.0

package probe

// The objects are committed, so that building needs Go alone. The compiler is
// pinned: CI rebuilds and compares.

//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -go-package probe -output-stem typed -cflags "-O2 -mcpu=v3 -Wall -Werror -I../../bpf/libbpf" typed ../../bpf/sigtrace.bpf.c
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -go-package probe -output-stem raw -cflags "-O2 -mcpu=v3 -Wall -Werror -I../../bpf/libbpf -DSIGTRACE_RAW" raw ../../bpf/sigtrace.bpf.c
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -go-package probe -output-stem loop -cflags "-O2 -mcpu=v3 -Wall -Werror -I../../bpf/libbpf -DSIGTRACE_LOOP" loop ../../bpf/sigtrace.bpf.c
