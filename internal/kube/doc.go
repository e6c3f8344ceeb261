// SPDX-License-Identifier: Apache-2.0

// Package kube reads what Kubernetes says of this node's pods: in kubelet's
// log, in the API, in kubelet's probe counters, in the statuses of containers.
// Each of these is a [Source]; each may be missing, go away and come back, and
// says when it was unavailable. What they say becomes facts (kubefact.Fact), which
// verdicts join with the kills that the kernel has shown. No cause is drawn
// here.
package kube
