// SPDX-License-Identifier: Apache-2.0

package tracer

// The objects are committed, so that building needs Go alone. The compiler is
// pinned: CI rebuilds and compares. Three objects are made of the same types, so
// Go has the declarations of one of them: what lies in the maps, and what goes
// through the rings (struct wire and enums of bpf/event.h).

//go:generate -command compile go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -go-package tracer
//go:generate compile -output-stem typed -cflags "-O2 -mcpu=v3 -Wall -Werror -I../../bpf/libbpf" -type event_header -type brief -type event_signal -type event_signal_stack -type event_signal_noted -type event_deliver -type place -type event_proc -type chain_node -type event_chain -type event_oom -type event_exit -type event_exit_caller -type event_cgroup -type event_kind -type lane -type loss_index -type hierarchy -type signal_flag -type info_kind -type proc_flag -type node_flag -type chain_kind -type oom_flag -type exit_flag -type cgroup_change typed ../../bpf/sigtrace.bpf.c
//go:generate compile -output-stem raw -no-global-types -cflags "-O2 -mcpu=v3 -Wall -Werror -I../../bpf/libbpf -DSIGTRACE_RAW" raw ../../bpf/sigtrace.bpf.c
//go:generate compile -output-stem loop -no-global-types -cflags "-O2 -mcpu=v3 -Wall -Werror -I../../bpf/libbpf -DSIGTRACE_LOOP" loop ../../bpf/sigtrace.bpf.c
