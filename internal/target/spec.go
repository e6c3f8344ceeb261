// SPDX-License-Identifier: Apache-2.0

package target

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Spec is the target flags as the user gave them.
type Spec struct {
	// Pod is NAME or NAMESPACE/NAME.
	Pod       string
	Namespace string
	// Container is a container's name: in its pod's spec, or Docker's.
	Container string
	// Selector selects pods by their labels, in kubectl's syntax.
	Selector string
	// ContainerID is the beginning of a container's id (of ctr's: its name); a
	// scheme as in "containerd://…" is allowed.
	ContainerID string
	// Cgroup is a directory of the cgroup file system or a path in a hierarchy.
	Cgroup string
	// PID is a process in the host's PID namespace; 0 means none.
	PID int
}

// Empty reports whether no target was given: the whole host is watched.
func (s Spec) Empty() bool { return s == Spec{} }

// Validate returns one sentence for people on what is wrong with the flags.
func (s Spec) Validate() error {
	if err := s.validateKinds(); err != nil {
		return err
	}
	if s.Cgroup != "" {
		if slices.Contains(strings.Split(s.Cgroup, "/"), "..") {
			return fmt.Errorf(`--cgroup %q: ".." is not allowed`, s.Cgroup)
		}
	}
	_, err := s.criteria()
	return err
}

// validateKinds checks that only one way of naming a target is used. The flags
// about pods and containers go together, and all of them must be met.
func (s Spec) validateKinds() error {
	if s.PID < 0 {
		return fmt.Errorf("--pid %d: a process id is 1 or more", s.PID)
	}
	others := ""
	for _, f := range []struct{ flag, value string }{
		{"--pod", s.Pod}, {"--namespace", s.Namespace}, {"--container", s.Container},
		{"--selector", s.Selector}, {"--container-id", s.ContainerID},
	} {
		if f.value != "" && others == "" {
			others = f.flag
		}
	}
	switch {
	case s.PID != 0 && s.Cgroup != "":
		return errors.New("--pid and --cgroup name two targets: give one of them")
	case s.PID != 0 && others != "":
		return fmt.Errorf("--pid and %s name two targets: give one of them", others)
	case s.Cgroup != "" && others != "":
		return fmt.Errorf("--cgroup and %s name two targets: give one of them", others)
	}
	return nil
}

// criteria reads the flags about pods and containers.
func (s Spec) criteria() (criteria, error) {
	c := criteria{namespace: s.Namespace, pod: s.Pod, container: s.Container, id: s.ContainerID}
	if ns, name, ok := strings.Cut(s.Pod, "/"); ok {
		if ns == "" || name == "" || strings.Contains(name, "/") {
			return criteria{}, fmt.Errorf("--pod %q: give NAME or NAMESPACE/NAME", s.Pod)
		}
		if s.Namespace != "" && s.Namespace != ns {
			return criteria{}, fmt.Errorf("--pod %s and --namespace %s name two namespaces: give one of them", s.Pod, s.Namespace)
		}
		c.namespace, c.pod = ns, name
	}
	for _, n := range []struct{ flag, name string }{{"--pod", c.pod}, {"--namespace", c.namespace}} {
		if n.name != "" && len(validation.IsDNS1123Subdomain(n.name)) > 0 {
			return criteria{}, fmt.Errorf("%s %q: Kubernetes names have lower-case letters, digits, %q and %q only", n.flag, n.name, "-", ".")
		}
	}
	if strings.ContainsAny(s.Container, "/ \t\n") {
		return criteria{}, fmt.Errorf("--container %q: give the container's name alone", s.Container)
	}
	if _, id, ok := strings.Cut(s.ContainerID, "://"); ok {
		c.id = id
	}
	if s.ContainerID != "" && !isIDPrefix(c.id) {
		return criteria{}, fmt.Errorf("--container-id %q: give the beginning of a container id", s.ContainerID)
	}
	if s.Selector == "" {
		return c, nil
	}
	var err error
	if c.selector, err = labels.Parse(s.Selector); err != nil {
		return criteria{}, fmt.Errorf("--selector %q: %w", s.Selector, err)
	}
	return c, nil
}

func isIDPrefix(s string) bool {
	outside := func(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("-_.@", r) }
	return s != "" && !strings.ContainsFunc(s, outside)
}

func isAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z'
}
