// SPDX-License-Identifier: Apache-2.0

// Package tracer is the only one that knows eBPF: it loads the compiled
// programs, attaches each hook or says why it cannot, reads both ring-buffer
// lanes, and counts what was lost.
package tracer
