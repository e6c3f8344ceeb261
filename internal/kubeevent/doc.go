// SPDX-License-Identifier: Apache-2.0

// Package kubeevent shows deaths as Kubernetes Events, on the pod and, where the
// node itself ran out of memory, on the node, so that `kubectl describe` shows
// why something died.
//
// They are core/v1 Events: the ones that describe lists, with a count that grows
// when something is reported again. What a crash loop repeats is counted, combined
// and limited by client-go's own correlator, as kubelet's are.
//
// Nothing here holds up the stream: Print only queues. An API server that is gone
// is waited for; what has no room meanwhile is dropped and counted.
package kubeevent
