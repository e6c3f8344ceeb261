// SPDX-License-Identifier: Apache-2.0

package container

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	idLength   = 64
	lxcPayload = "lxc.payload."
	nspawn     = "systemd-nspawn@"
)

// containerOf reports whether component i is a container's cgroup.
func containerOf(parts []part, i int) (id, runtime string, ok bool) {
	name, parent := parts[i].name, nameAt(parts, i-1)
	if id, runtime, ok := hexContainer(name, parent); ok {
		return id, runtime, true
	}
	if name, ok := lxcName(name, parent); ok {
		return name, RuntimeLXC, true
	}
	if unit, ok := strings.CutPrefix(cgroupUnescape(name), nspawn); ok {
		if unit, ok = strings.CutSuffix(unit, ".service"); ok && isName(unit) {
			return unescapeUnit(unit), RuntimeNspawn, true
		}
	}
	// AWS Fargate: /ecs/<task>/<task>-<number>.
	if number, ok := strings.CutPrefix(name, parent+"-"); ok && isHex(parent, 32) && isDigits(number) {
		return name, RuntimeDocker, true
	}
	return "", "", false
}

// hexContainer reads the components that hold 64 hex digits:
// <id>, <prefix>-<id>, both with or without .scope, and slice:prefix:<id>,
// which is what a runtime's cgroupfs driver makes of systemd's notation.
func hexContainer(name, parent string) (id, runtime string, ok bool) {
	core := strings.TrimSuffix(name, ".scope")
	if len(core) < idLength || !isHex(core[len(core)-idLength:], idLength) {
		return "", "", false
	}
	id, prefix := core[len(core)-idLength:], core[:len(core)-idLength]
	switch {
	case prefix == "" && parent == "docker", prefix == "" && parent == "ecs":
		return id, RuntimeDocker, true
	case prefix == "":
		// A directory of this form below Podman's parent is a Podman pod.
		return id, "", parent != "libpod_parent"
	case strings.HasSuffix(prefix, ":"):
		prefix = strings.TrimSuffix(prefix, ":")
		prefix = prefix[strings.LastIndexByte(prefix, ':')+1:]
	case strings.HasSuffix(prefix, "-"):
		prefix = strings.TrimSuffix(prefix, "-")
	default:
		return "", "", false
	}
	// conmon watches the container from a cgroup of its own.
	if strings.HasSuffix(prefix, "conmon") {
		return "", "", false
	}
	return id, runtimeOfPrefix(prefix), true
}

// runtimeOfPrefix names the runtime that puts this prefix before the id;
// unknown ones give "".
func runtimeOfPrefix(prefix string) string {
	switch prefix {
	case "cri-containerd", "containerd", "nerdctl":
		return RuntimeContainerd
	case "crio":
		return RuntimeCRIO
	case "docker":
		return RuntimeDocker
	case "libpod", "libpod-payload":
		return RuntimePodman
	}
	return ""
}

// lxcName reads lxc.payload.NAME (LXC 4 and later) and lxc.payload/NAME,
// lxc/NAME (before).
func lxcName(name, parent string) (string, bool) {
	if rest, ok := strings.CutPrefix(name, lxcPayload); ok {
		return rest, isName(rest)
	}
	if parent == "lxc" || parent == "lxc.payload" {
		return name, isName(name)
	}
	return "", false
}

// isID reports whether s has a form that only container ids have, so that it
// names the container wherever its cgroup is.
func isID(s string) bool {
	if isHex(s, idLength) {
		return true
	}
	return len(s) > 33 && isHex(s[:32], 32) && s[32] == '-' && isDigits(s[33:])
}

func isHex(s string, length int) bool {
	if len(s) != length {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isName reports whether s can be shown as a name: some text, no control
// characters, not a way up the tree.
func isName(s string) bool {
	if s == "" || s == "." || s == ".." || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r == '/' || unicode.IsControl(r) })
}

// isIdentifier is containerd's rule for the names of namespaces and
// containers (pkg/identifiers): letters and digits, single ".", "-" or "_"
// between them, at most 76 bytes.
func isIdentifier(s string) bool {
	if s == "" || len(s) > 76 {
		return false
	}
	separator := true
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			separator = false
		case (c == '.' || c == '-' || c == '_') && !separator:
			separator = true
		default:
			return false
		}
	}
	return !separator
}
