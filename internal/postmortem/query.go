// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Query says which deaths are meant; what is empty matches all.
type Query struct {
	Target       Target
	Namespace    string
	Container    string
	Causes       event.CauseSet
	Since, Until time.Time
	// BootID is this machine's: only of its own agent can it be reported that it does not
	// run.
	BootID string
	// Last is how many of the newest; 0 is all.
	Last int
	// Fold hangs deaths that only go with another under that one.
	Fold bool
}

// Matches reports whether a death is meant.
func (q Query) Matches(d *event.Death) bool {
	p := d.Process
	return (q.Target.matches(p) || q.Target.text == d.ID) &&
		(q.Namespace == "" || p.Pod != nil && p.Pod.Namespace == q.Namespace) &&
		(q.Container == "" || p.Container != nil && p.Container.Name == q.Container) &&
		q.Causes.Has(d.Cause) &&
		(q.Since.IsZero() || !d.Time.Before(q.Since)) &&
		(q.Until.IsZero() || !d.Time.After(q.Until))
}

// Target is what a person means: a pod, a container, a process.
type Target struct {
	text string
	// pod and namespace of a pod that was named as one.
	pod, namespace string
	pid            int
	// containerID is a prefix; name is a pod's, a container's, a unit's or a comm.
	containerID, name string
}

// pidMax is PID_MAX_LIMIT of include/linux/threads.h: larger numbers are no pid.
const pidMax = 4 << 20

// ParseTarget reads pod/NAME, NS/NAME, a container id's beginning, a pid, or a
// name.
func ParseTarget(text string) (Target, error) {
	t := Target{text: text}
	if text == "" {
		return t, nil
	}
	if strings.Contains(text, "://") {
		if t.containerID = idOf(text); t.containerID == "" {
			return t, fmt.Errorf("%q holds no container id", text)
		}
		return t, nil
	}
	first, rest, slash := strings.Cut(text, "/")
	switch {
	case slash && (first == "" || rest == ""):
		return t, fmt.Errorf("%q is not a target: pod/NAME, NS/NAME, a container id, a pid", text)
	case slash && first == "pod":
		t.pod = rest
		if ns, name, ok := strings.Cut(rest, "/"); ok {
			t.namespace, t.pod = ns, name
		}
		return t, nil
	case slash:
		t.namespace, t.pod = first, rest
		return t, nil
	}
	// With a zero in front it is the beginning of a container's id.
	if n, err := strconv.Atoi(text); err == nil && n <= pidMax && (text[0] != '0' || n == 0) {
		if n <= 0 {
			return t, errors.New("a pid is 1 or more")
		}
		t.pid, t.containerID = n, idOf(text)
		return t, nil
	}
	t.name = text
	if id := idOf(text); id != "" {
		t.containerID = id
	}
	return t, nil
}

// idOf is a container id, or its beginning, as runtimes write them:
// containerd://0123…; "" for what is none.
func idOf(text string) string {
	if _, id, ok := strings.Cut(text, "://"); ok {
		text = id
	}
	if text == "" || len(text) > 64 || strings.Trim(text, "0123456789abcdef") != "" {
		return ""
	}
	return text
}

func (t Target) String() string { return t.text }

// isPlace reports whether a target is a pod or a container, and no process.
func (t Target) isPlace() bool { return t.pod != "" || t.containerID != "" || t.name != "" }

func (t Target) matches(p *event.Process) bool {
	switch {
	case t.text == "":
		return true
	case t.pod != "":
		return p.Pod != nil && p.Pod.Name == t.pod && (t.namespace == "" || p.Pod.Namespace == t.namespace)
	case t.pid != 0 && p.PID == t.pid:
		return true
	case t.containerID != "" && p.Container != nil && strings.HasPrefix(p.Container.ID, t.containerID):
		return true
	}
	return t.name != "" && (t.name == p.Comm || t.name == p.Unit ||
		p.Pod != nil && p.Pod.Name == t.name || p.Container != nil && p.Container.Name == t.name)
}
