// SPDX-License-Identifier: Apache-2.0

package container

import "strings"

// The levels at which a cgroup's limit can be hit: the contract's limit_level.
const (
	LevelContainer = "container"
	LevelPod       = "pod"
	LevelQoS       = "qos"
	LevelService   = "service"
	LevelSlice     = "slice"
	LevelNode      = "node"
)

// Level says what a cgroup is a limit for. The root and kubepods itself are
// the node. A cgroup below a container, pod or unit counts as what it is in;
// below a kind node the inner meaning wins. Empty where the path alone does
// not report: /foo/bar may be a container of ctr's ([Directory.Level] knows).
func Level(cgroupPath string) string {
	path := strings.TrimSuffix(cgroupPath, deletedSuffix)
	parts := split(path)
	if len(parts) == 0 {
		return LevelNode
	}
	for i := len(parts) - 1; i >= 0; i-- {
		if level := levelOf(parts, i); level != "" {
			return level
		}
	}
	return ""
}

// levelOf says what component i is, "" for a directory that only its parents
// explain.
func levelOf(parts []part, i int) string {
	if _, _, ok := containerOf(parts, i); ok {
		return LevelContainer
	}
	if kube := kubeOf(parts, i); kube.level != "" {
		return kube.level
	}
	switch name := parts[i].name; {
	case isUnit(name):
		return LevelService
	case strings.HasSuffix(name, ".slice"):
		return LevelSlice
	}
	return ""
}
