// SPDX-License-Identifier: Apache-2.0

// Package cgroup knows the control groups of the host: which hierarchies are
// there, which path an id stands for and the reverse, and what a cgroup's
// memory limit, usage and OOM counters are.
//
// A cgroup has one id and one path in each hierarchy it exists in. Ids are
// kernfs node ids: unique within a hierarchy, not across hierarchies, and never
// reused while the hierarchy lives (the upper half is a generation). The root
// of every hierarchy has id 1.
//
// Paths are those of the host's hierarchy root, "/" first and no slash at the
// end, whatever cgroup namespace this process is in.
package cgroup
