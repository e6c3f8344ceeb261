// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Bounded loops, two ways. bpf_loop() (5.17) has its body verified once, which
 * is most of what starting up takes; older kernels get a plain loop, whose
 * every turn is verified. A body is STEP(name) with its state behind a pointer
 * and returns 1 to stop. References to a callback are refused by kernels before
 * 5.13 even in dead code, hence an object of its own (-DSIGTRACE_LOOP).
 * Take pointers that are read by CO-RE out of the state first: BPF_CORE_READ would
 * record state->t as a field of the kernel's to relocate.
 */
#ifndef SIGTRACE_LOOP_H
#define SIGTRACE_LOOP_H

#include "kernel_types.h"
#include <bpf_helpers.h>

#ifdef SIGTRACE_LOOP
#define STEP(name, type) static long name(u32 i, type *state)
#define REPEAT(n, step, state) bpf_loop(n, step, state, 0)
#else
#define STEP(name, type) static __always_inline long name(u32 i, type *state)
#define REPEAT(n, step, state)                                                                     \
	do {                                                                                       \
		for (u32 i_ = 0; i_ < (n); i_++)                                                   \
			if (step(i_, state))                                                       \
				break;                                                             \
	} while (0)
#endif

#endif
