// SPDX-License-Identifier: Apache-2.0

// Package proc reads what /proc reports processes that live long enough, and
// of the kernel's own functions. Its root can be set, for tests and for agents
// that see the host's /proc elsewhere.
package proc
