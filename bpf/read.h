// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ways to read a tracepoint's arguments. With BTF tracepoints the verifier
 * knows their types and a plain load is all it takes, which is what makes a
 * dropped signal cheap. Raw tracepoints (-DSIGTRACE_RAW), for kernels that
 * refuse the former, need a helper call for each load.
 */
#ifndef SIGTRACE_READ_H
#define SIGTRACE_READ_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>

#ifdef SIGTRACE_RAW
#define TRACEPOINT(name) SEC("raw_tp/" #name)
#define ARG_READ(p, ...) BPF_CORE_READ(p, __VA_ARGS__)
#else
#define TRACEPOINT(name) SEC("tp_btf/" #name)
#define ARG_READ(p, ...) ((p)->___arrow(__VA_ARGS__))
#endif

/* An argument as a number: global functions take no typed pointers, and what
 * the verifier makes of info differs from kernel to kernel. */
static __always_inline u64 number(u64 *ctx, u32 which)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), &ctx[which]);
	return value;
}

#endif
