// SPDX-License-Identifier: Apache-2.0

package target

import (
	"strings"
	"testing"
)

func TestSpecValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		spec Spec
		// says is what the refusal holds; empty where the flags are right.
		says string
	}{
		{"nothing", Spec{}, ""},
		{"a pod", Spec{Pod: "web-0"}, ""},
		{"a pod with its namespace", Spec{Pod: "shop/web-0"}, ""},
		{"the namespace twice", Spec{Pod: "shop/web-0", Namespace: "shop"}, ""},
		{"two namespaces", Spec{Pod: "shop/web-0", Namespace: "bank"}, "name two namespaces"},
		{"no namespace before the slash", Spec{Pod: "/web-0"}, "give NAME or NAMESPACE/NAME"},
		{"too many slashes", Spec{Pod: "a/b/c"}, "give NAME or NAMESPACE/NAME"},
		{"an upper-case pod", Spec{Pod: "Web-0"}, "lower-case letters"},
		{"an upper-case namespace", Spec{Namespace: "Shop"}, "--namespace"},
		{"labels", Spec{Selector: "app in (web,api),!canary"}, ""},
		{"broken labels", Spec{Selector: "app in (web"}, "--selector"},
		{"a container", Spec{Container: "my_app-1"}, ""},
		{"a container of a pod", Spec{Pod: "web-0", Container: "app"}, ""},
		{"a container with a slash", Spec{Container: "web-0/app"}, "the container's name alone"},
		{"an id", Spec{ContainerID: "a1b2"}, ""},
		{"an id with its runtime", Spec{ContainerID: "containerd://a1b2"}, ""},
		{"a runtime without an id", Spec{ContainerID: "containerd://"}, "--container-id"},
		{"an id with a slash", Spec{ContainerID: "a1/b2"}, "--container-id"},
		{"a negative pid", Spec{PID: -1}, "1 or more"},
		{"pid and cgroup", Spec{PID: 1, Cgroup: "/a"}, "name two targets"},
		{"pid and pod", Spec{PID: 1, Pod: "web-0"}, "--pid and --pod name two targets"},
		{"cgroup and labels", Spec{Cgroup: "/a", Selector: "a=b"}, "--cgroup and --selector name two targets"},
		{"a cgroup that climbs", Spec{Cgroup: "/a/../b"}, `".." is not allowed`},
		{"a cgroup with dots in a name", Spec{Cgroup: "/a/..b"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.spec.Validate()
			switch {
			case c.says == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}
