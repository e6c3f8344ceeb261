// SPDX-License-Identifier: Apache-2.0

package container

import (
	"strconv"
	"strings"
)

// isUnit reports whether a component is a systemd service's or scope's cgroup.
func isUnit(name string) bool {
	bare := strings.TrimSuffix(strings.TrimSuffix(name, ".service"), ".scope")
	return bare != name && bare != "" && isName(name) && !strings.HasPrefix(name, ".")
}

// isSystemd reports whether systemd made the component.
func isSystemd(name string) bool {
	return isUnit(name) || strings.HasSuffix(name, ".slice")
}

// cgroupUnescape undoes systemd's escaping of unit names that would collide
// with the kernel's own files, a "_" in front (basic/cgroup-util.c, cg_escape).
func cgroupUnescape(name string) string {
	return strings.TrimPrefix(name, "_")
}

// unescapeUnit undoes the \xNN of unit names (systemd.unit(5), "String
// escaping"). What would give a "/" or a control character is left as it was.
func unescapeUnit(name string) string {
	if !strings.Contains(name, `\x`) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+3 < len(name) && name[i+1] == 'x' {
			if c, err := strconv.ParseUint(name[i+2:i+4], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(name[i])
	}
	if plain := b.String(); isName(plain) {
		return plain
	}
	return name
}
