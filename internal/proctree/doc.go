// SPDX-License-Identifier: Apache-2.0

// Package proctree answers, of processes as events describe them, who is whose
// parent, monitor, runtime or service manager, and what one is to another. It is
// pure: processes in, an answer out. No comm is asked, for anybody can call
// itself runc: the executable's path, where a process runs and from whom it
// Descends decide.
package proctree
