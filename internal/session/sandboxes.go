// SPDX-License-Identifier: Apache-2.0

package session

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/sigtrace/sigtrace/internal/proctree"
)

// Sandboxes are the kinds of sandboxes of this node whose processes the host's
// kernel does not see, found by the shims that run (proc is the mounted proc file
// system) and the programs that are installed.
func Sandboxes(proc string) []string {
	var kinds []string
	add := func(exe string) {
		if kind := proctree.SandboxKind(exe); kind != "" {
			kinds = append(kinds, kind)
		}
	}
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "exe")) // the pattern is sound
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil { // else it is gone, or a thread of the kernel's
			add(exe)
		}
	}
	for _, name := range []string{"runsc", "kata-runtime", "containerd-shim-kata-v2"} {
		if exe, err := exec.LookPath(name); err == nil {
			add(exe)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}
