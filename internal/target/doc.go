// SPDX-License-Identifier: Apache-2.0

// Package target decides which processes the user asked for: it turns the
// target flags into cgroup ids that the kernel side filters on, and keeps them
// right while pods and containers come and go.
//
// The kernel's filter takes a cgroup with everything below it. A pod is
// therefore one entry, its pod-level cgroup: its sandbox, its containers and
// their restarts are covered before they exist. Only where that is too much
// (--container, --container-id) or not there is a container's own cgroup
// the entry.
package target
