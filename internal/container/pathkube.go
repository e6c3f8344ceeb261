// SPDX-License-Identifier: Apache-2.0

package container

import "strings"

// kubepods is the root of all pods' cgroups, below whatever kubelet's
// --cgroup-root says.
const kubepods = "kubepods"

// kubeGroup is what a component is to kubelet: level is LevelNode (kubepods
// itself), LevelQoS or LevelPod; empty for none of kubelet's.
type kubeGroup struct {
	level, qos, uid string
}

// kubeOf reads component i as one of kubelet's cgroups, in the notation of its
// systemd or of its cgroupfs driver (pkg/kubelet/cm/cgroup_manager_linux.go).
func kubeOf(parts []part, i int) kubeGroup {
	name := parts[i].name
	if slice, _, ok := strings.Cut(name, ".slice"); ok {
		// A ":" after it is the driver mismatch: slice:prefix:id.
		if rest := name[len(slice)+len(".slice"):]; rest != "" && rest[0] != ':' {
			return kubeGroup{}
		}
		return kubeSlice(slice)
	}
	parent := nameAt(parts, i-1)
	switch {
	case name == kubepods:
		return kubeGroup{level: LevelNode}
	case parent == kubepods && qosOf(name) != "":
		return kubeGroup{level: LevelQoS, qos: qosOf(name)}
	}
	uid, ok := strings.CutPrefix(name, "pod")
	if !ok {
		return kubeGroup{}
	}
	return kubePod(uid, parent, nameAt(parts, i-2))
}

// kubePod reads the cgroupfs driver's pod<uid>. A static pod may carry any
// text for its UID, so below kubepods anything goes; elsewhere (a path seen
// from inside a cgroup namespace) only what looks like a UID.
func kubePod(uid, parent, grandparent string) kubeGroup {
	group := kubeGroup{level: LevelPod, qos: qosOf(parent), uid: uid}
	switch {
	case parent == kubepods && isPodUID(uid):
		group.qos = QoSGuaranteed
	case grandparent == kubepods && group.qos != "" && isPodUID(uid):
	case isUUID(uid) || isHex(uid, 32):
	default:
		return kubeGroup{}
	}
	return group
}

// kubeSlice reads the systemd driver's names, the .slice taken off:
// [parents-]kubepods[-burstable|-besteffort][-pod<uid with _ for ->].
func kubeSlice(slice string) kubeGroup {
	at := strings.Index(slice, kubepods)
	if at < 0 || at > 0 && slice[at-1] != '-' {
		return kubeGroup{}
	}
	rest := slice[at+len(kubepods):]
	group := kubeGroup{level: LevelNode, qos: QoSGuaranteed}
	for _, class := range []string{"-burstable", "-besteffort"} {
		if after, ok := strings.CutPrefix(rest, class); ok {
			rest, group = after, kubeGroup{level: LevelQoS, qos: qosOf(class[1:])}
			break
		}
	}
	if rest == "" {
		if group.level == LevelNode {
			group.qos = ""
		}
		return group
	}
	uid, ok := strings.CutPrefix(rest, "-pod")
	uid = strings.ReplaceAll(uid, "_", "-")
	if !ok || !isPodUID(uid) {
		return kubeGroup{}
	}
	group.level, group.uid = LevelPod, uid
	return group
}

func qosOf(name string) string {
	switch name {
	case "burstable":
		return QoSBurstable
	case "besteffort":
		return QoSBestEffort
	}
	return ""
}

// isPodUID accepts the text of any UID that a static pod's manifest may hold.
func isPodUID(s string) bool {
	return s != "" && isIdentifier(s)
}

// isUUID shows the form 8-4-4-4-12 of lower-case hex digits.
func isUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	return isHex(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:], 32)
}
