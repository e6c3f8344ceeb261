// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// Identity is a process: a pid alone is used again.
type Identity struct {
	PID        int
	StartTicks uint64
}

// IdentityOf is the process of that pid that started at startNS, CLOCK_BOOTTIME.
func IdentityOf(pid int, startNS uint64) Identity { return Identity{pid, startNS / nsPerTick} }

// Inits reads what the inits of PID namespaces execute, as containers have them, at
// most so many. Up to Linux 6.15 a process has no memory any more when its end is
// seen, so of those that are older than sigtrace nothing else shows it.
func (f FS) Inits(most int) map[Identity]Image {
	inits := map[Identity]Image{}
	dirs, _ := filepath.Glob(filepath.Join(f.root, "[0-9]*")) // the pattern is sound
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || len(inits) >= most || !f.init(pid) {
			continue
		}
		s, err := f.Stat(pid)
		if err != nil {
			continue // gone
		}
		if image, err := f.Image(pid, s.StartTicks*nsPerTick); err == nil {
			inits[Identity{pid, s.StartTicks}] = image
		}
	}
	return inits
}

// init reports whether a process is pid 1 of a PID namespace below this one.
func (f FS) init(pid int) bool {
	status, err := os.ReadFile(f.Path(pid, "status"))
	if err != nil {
		return false
	}
	_, rest, ok := bytes.Cut(status, []byte("\nNSpid:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	ids := bytes.Fields(line)
	return ok && len(ids) > 1 && string(ids[len(ids)-1]) == "1"
}
