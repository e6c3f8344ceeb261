// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// The reasons of the condition DisruptionTarget of a pod that is being deleted
// (k8s.io/api/core/v1/types.go, pkg/registry/core/pod/storage/eviction.go).
const (
	viaEvictionAPI = "EvictionByEvictionAPI"
	viaTaint       = "DeletionByTaintManager"
	viaPodGC       = "DeletionByPodGC"
)

// Requester is who had a pod deleted. Nil is nobody that is known.
type Requester kubefact.Requester

// Requester is who had the pod deleted, nil where that is not known. The pod's own
// condition goes before a namespace that was deleted with all of its pods, and that
// before a controller's Event, of which the last says most.
func (r *Reason) Requester() *Requester {
	var found, namespace, controller *Requester
	drainer := ""
	for _, f := range r.Requests {
		switch {
		case f.Kind == kubefact.Disrupted && f.Reporter != "":
			drainer = f.Reporter
		case f.Kind == kubefact.Disrupted && found == nil:
			found = disrupted(f)
		case f.Kind == kubefact.Requested && f.Requester.Kind == kubefact.ByNamespace:
			namespace = (*Requester)(f.Requester)
		case f.Kind == kubefact.Requested:
			controller = (*Requester)(f.Requester)
		}
	}
	switch {
	case found != nil:
		if found.Kind == kubefact.ByEvictionAPI {
			found.Name = drainer
		}
		return found
	case namespace != nil:
		return namespace
	}
	return controller
}

func disrupted(f *kubefact.Fact) *Requester {
	switch f.Reason {
	case viaEvictionAPI:
		return &Requester{Kind: kubefact.ByEvictionAPI, Via: f.Reason}
	case viaTaint:
		return &Requester{Kind: kubefact.ByTaint, Via: f.Reason}
	case viaPodGC:
		return &Requester{Kind: kubefact.ByPodGC, Via: f.Reason}
	case "":
		if f.Event { // taint eviction's
			return &Requester{Kind: kubefact.ByTaint, Via: "TaintManagerEviction"}
		}
	}
	return nil
}

// String is a sentence's end: "its pod was deleted" + " by ReplicaSet web-7f".
func (r *Requester) String() string {
	if r == nil {
		return ""
	}
	name := safetext.Quote(r.Name)
	switch r.Kind {
	case kubefact.ByEvictionAPI:
		if name != "" {
			return " through the eviction API, by " + name
		}
		return " through the eviction API"
	case kubefact.ByTaint:
		return " because of a taint of its node (NoExecute)"
	case kubefact.ByPodGC:
		return " by the pod garbage collector"
	case kubefact.ByNamespace:
		return " with its namespace " + name
	}
	text := " by " + safetext.Quote(r.Kind) + " " + name
	if r.Via != "" && r.Via != "SuccessfulDelete" {
		text += " (" + safetext.Quote(r.Via) + ")"
	}
	return text
}

// Record is the requester as a death record has it; nil of nobody.
func (r *Requester) Record() *event.Requester {
	if r == nil {
		return nil
	}
	return &event.Requester{Kind: r.Kind, Name: r.Name, Via: r.Via}
}
