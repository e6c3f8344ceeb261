// SPDX-License-Identifier: Apache-2.0

package report

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/postmortem"
)

// kind is what causes have in common; it has a colour.
type kind struct {
	ID, Name string
	Count    int
}

// kinds in the order in which they are stacked.
func kinds() []kind {
	return []kind{
		{ID: "memory", Name: "out of memory"},
		{ID: "process", Name: "killed by a process"},
		{ID: "kube", Name: "stopped by Kubernetes"},
		{ID: "runtime", Name: "stopped by a runtime or a service manager"},
		{ID: "self", Name: "its own doing"},
		{ID: "unknown", Name: "unknown"},
	}
}

// kindOf sorts a cause; one that this version does not know is unknown to it.
func kindOf(c event.Cause) string {
	switch c.Row().Group {
	case event.GroupOOM:
		return "memory"
	case event.GroupForeign:
		return "process"
	case event.GroupKubernetes:
		return "kube"
	case event.GroupRuntime:
		return "runtime"
	case event.GroupCrash, event.GroupOwn:
		return "self"
	}
	return "unknown"
}

// kindsOf counts the kinds that are there.
func kindsOf(deaths []postmortem.Past) []kind {
	counts := map[string]int{}
	for _, p := range deaths {
		counts[kindOf(p.Death.Cause)]++
	}
	var some []kind
	for _, k := range kinds() {
		if k.Count = counts[k.ID]; k.Count > 0 {
			some = append(some, k)
		}
	}
	return some
}
