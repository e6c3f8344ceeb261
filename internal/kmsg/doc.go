// SPDX-License-Identifier: Apache-2.0

// Package kmsg reads OOM kills out of the kernel's log. Only what the kernel
// itself wrote counts: whoever may write to /dev/kmsg gets another facility
// (kernel/printk/printk.c, devkmsg_write), so that fake lines change nothing.
package kmsg
