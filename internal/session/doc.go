// SPDX-License-Identifier: Apache-2.0

// Package session opens everything that watching one node takes (the programs in
// the kernel, the runtimes, Kubernetes' sources, the kernel's log) and streams it
// through the verdicts into a printer. watch and agent both run one.
package session
