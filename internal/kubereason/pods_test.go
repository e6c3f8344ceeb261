// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"fmt"
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// What is remembered of what Kubernetes reports is bounded.
func TestMemoryIsBounded(t *testing.T) {
	var c Cluster
	probe := func(pod string) *kubefact.Fact {
		return &kubefact.Fact{
			Kind: kubefact.ProbeResults, Source: kubefact.SourceAPI, Namespace: "shop", Pod: pod, UID: "u" + pod,
			Probe: "liveness", Container: "app", Failed: 1,
		}
	}
	for i := range podsMax + 100 {
		c.Fact(probe(fmt.Sprint("p", i)))
	}
	for range 10 * podFactsMax {
		c.Fact(probe("web-0"))
	}
	p := c.PodOf(&event.Process{Pod: &event.Pod{Namespace: "shop", Name: "web-0", UID: "uweb-0"}})
	if len(c.byUID) > podsMax || len(c.byName) > podsMax || p == nil || len(p.facts) > podFactsMax {
		t.Errorf("%d, %d pods, %+v", len(c.byUID), len(c.byName), p)
	}
	if p.Dropped() == 0 {
		t.Error("what was dropped is not counted")
	}
}
