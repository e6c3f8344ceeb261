// SPDX-License-Identifier: Apache-2.0

// Package verdict joins signals, OOM kills and exits into deaths, and gives
// each its cause. It does no I/O and has no clock: time is CLOCK_BOOTTIME in
// nanoseconds, as the events carry it, and whoever calls Due says how far the
// stream has been seen.
//
// A story holds what is known of one process. When it has exited and what may
// be reordered has had its time, decide finds the cause: deciding picks the
// fatal signal, firstOf follows forwarders back to who asked first, who classifies
// that sender, and record builds the record.
package verdict
