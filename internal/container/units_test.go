// SPDX-License-Identifier: Apache-2.0

package container

import (
	"strings"
	"testing"
)

// The level of units is that of a container's own cgroup, as ParsePath reads it:
// deeper, and a container makes itself budgets; higher, and it shares its neighbours'.
func TestUnitLevelIsTheContainers(t *testing.T) {
	id := strings.Repeat("a1", 32)
	for _, path := range []string{
		"/kubepods/burstable/pod1d3f5a34-5a3b-4b1c-9e9e-6f1f6b1c2d3e/" + id,
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1d3f5a34_5a3b_4b1c_9e9e_6f1f6b1c2d3e.slice/cri-containerd-" + id + ".scope",
		"/docker/" + id,
		"/system.slice/docker-" + id + ".scope",
		"/machine.slice/libpod-" + id + ".scope",
	} {
		parts := strings.Split(strings.Trim(path, "/"), "/")
		level, ok := UnitLevel(parts[0])
		if !ok {
			level = 2 // UNIT_LEVEL of bpf/config.h
		}
		if ParsePath(path).ID != id {
			t.Fatalf("%s is no container's", path)
		}
		if int(level) != len(parts) {
			t.Errorf("%s: its budget is kept at level %d", path, level)
		}
	}
}
