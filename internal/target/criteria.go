// SPDX-License-Identifier: Apache-2.0

package target

import (
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
)

// answer is what is known about whether a cgroup is the target's.
type answer int

const (
	no answer = iota
	yes
	// unknown: whose cgroup it is has not been reported yet; ask again.
	unknown
)

// criteria is what a pod or container must meet. An empty field asks nothing.
type criteria struct {
	namespace, pod string
	selector       labels.Selector
	container      string
	id             string
}

func (c criteria) empty() bool { return !c.aboutPod() && !c.aboutContainer() }

func (c criteria) aboutPod() bool { return c.namespace != "" || c.pod != "" || c.selector != nil }

func (c criteria) aboutContainer() bool { return c.container != "" || c.id != "" }

// judge reports whether the pod or container with this reference is the target.
// known reports whether the directory could name it.
func (c criteria) judge(ref container.Ref, info container.Info, known bool) answer {
	if ref.ID == "" && ref.PodUID == "" && !known {
		return no // neither a pod nor a container
	}
	return all(c.judgeID(ref, info, known), c.judgeContainer(ref, info, known), c.judgePod(ref, info, known))
}

// all joins answers: one no decides, then one unknown.
func all(answers ...answer) answer {
	result := yes
	for _, a := range answers {
		switch a {
		case no:
			return no
		case unknown:
			result = unknown
		}
	}
	return result
}

func (c criteria) judgeID(ref container.Ref, info container.Info, known bool) answer {
	if c.id == "" {
		return yes
	}
	id := ref.ID
	if known && info.ID != "" {
		id = info.ID
	}
	switch {
	case id == "" || !strings.HasPrefix(id, c.id):
		return no
	case ref.Candidate && !(known && info.ID != ""):
		return unknown // /<x>/<y> need not be a container
	}
	return yes
}

func (c criteria) judgeContainer(ref container.Ref, info container.Info, known bool) answer {
	switch {
	case c.container == "":
		return yes
	case ref.ID == "" && info.ID == "", info.Sandbox:
		return no
	case !known || info.Name == "":
		return unknown
	case info.Name == c.container:
		return yes
	}
	return no
}

func (c criteria) judgePod(ref container.Ref, info container.Info, known bool) answer {
	if !c.aboutPod() {
		return yes
	}
	pod := info.Pod
	if pod == nil || pod.Name == "" || pod.Namespace == "" {
		// A container of no pod; what kubelet and the CRI make is no candidate.
		if ref.PodUID == "" && (ref.Candidate || known && !info.Partial) {
			return no
		}
		return unknown
	}
	return c.meets(pod)
}

// meets compares a pod. Labels that nobody has reported are not "no labels":
// "app!=web" must not take in a web pod that only its log directory names.
func (c criteria) meets(pod *event.Pod) answer {
	switch {
	case c.pod != "" && pod.Name != c.pod, c.namespace != "" && pod.Namespace != c.namespace:
		return no
	case c.selector == nil:
		return yes
	case pod.Labels == nil:
		return unknown
	case c.selector.Matches(labels.Set(pod.Labels)):
		return yes
	}
	return no
}

// group returns the cgroup to filter on for a pod or container that meets the
// criteria: the pod's where only the pod was asked for and has one.
func (c criteria) group(ref container.Ref) string {
	if c.aboutContainer() || ref.ID == "" || ref.PodUID == "" {
		return ref.Path
	}
	for p := path.Dir(ref.Path); p != "/" && p != "."; p = path.Dir(p) {
		if up := container.ParsePath(p); up.ID == "" && up.PodUID == ref.PodUID {
			return up.Path
		}
	}
	return ref.Path
}
