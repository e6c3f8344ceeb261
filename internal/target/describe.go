// SPDX-License-Identifier: Apache-2.0

package target

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/container"
)

// maxNamed is how many pods or containers a description names.
const maxNamed = 3

// Describe says in a few words what the target is and whether it is there:
// "pod shop/web-0 (2 containers)", "waiting for pod default/foo".
func (w *Watcher) Describe() string {
	if w.Waiting() {
		return "waiting for " + w.asked()
	}
	switch {
	case w.spec.Empty():
		return "the whole host"
	case w.spec.PID != 0, w.spec.Cgroup != "":
		return w.asked()
	}
	pods, containers := w.found()
	if w.criteria.aboutContainer() {
		return listed("container", "containers", containers)
	}
	if len(pods) == 0 {
		return w.asked()
	}
	return listed("pod", "pods", pods) + " (" + count(w.containers(), "container") + ")"
}

// asked says what the flags ask for.
func (w *Watcher) asked() string {
	c := w.criteria
	switch {
	case w.spec.PID != 0:
		p, _ := w.Process()
		if p.Comm == "" {
			return fmt.Sprintf("process %d", w.spec.PID)
		}
		return fmt.Sprintf("process %d (%q)", w.spec.PID, p.Comm)
	case w.spec.Cgroup != "":
		if r := w.rootNow(); r.path != "" {
			return "cgroup " + r.path
		}
		return "cgroup " + w.spec.Cgroup
	case c.id != "":
		text := "container " + c.id
		if c.container != "" {
			text += " named " + c.container
		}
		return text + c.ofPod(" of ")
	case c.container != "":
		return "container " + c.container + c.ofPod(" of ")
	}
	return c.ofPod("")
}

// ofPod says which pods are asked for, with sep in front; nothing if any.
func (c criteria) ofPod(sep string) string {
	var text string
	switch {
	case !c.aboutPod():
		return ""
	case c.pod != "" && c.namespace != "":
		text = "pod " + c.namespace + "/" + c.pod
	case c.pod != "":
		text = "pod " + c.pod
	case c.namespace != "":
		text = "a pod of namespace " + c.namespace
	default:
		text = "a pod"
	}
	if c.selector != nil {
		text += " with labels " + c.selector.String()
	}
	return sep + text
}

// found names the pods and containers that the filter holds, sorted.
func (w *Watcher) found() (pods, containers []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.groups.byPath {
		name := g.container
		if name == "" {
			name = shortID(container.ParsePath(g.path).ID)
		}
		if g.pod != nil && g.pod.Name != "" {
			pod := g.pod.Namespace + "/" + g.pod.Name
			pods = append(pods, pod)
			name += " of pod " + pod
		}
		containers = append(containers, name)
	}
	return unique(pods), unique(containers)
}

// containers counts the target's containers that run.
func (w *Watcher) containers() int {
	n := 0
	for _, info := range w.dir.Containers() {
		if info.Sandbox || info.State == container.StateExited || info.Pod == nil {
			continue
		}
		if w.criteria.meets(info.Pod) == yes {
			n++
		}
	}
	return n
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

func listed(one, many string, names []string) string {
	if len(names) == 1 {
		return one + " " + names[0]
	}
	if len(names) > maxNamed {
		return fmt.Sprintf("%s %s and %d more", many, strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
	}
	return many + " " + strings.Join(names, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func shortID(id string) string {
	return id[:min(len(id), 12)]
}
