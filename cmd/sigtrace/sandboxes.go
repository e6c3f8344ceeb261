// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/sigtrace/sigtrace/internal/proctree"
)

// reportSandboxes names the kinds of sandboxes of this node whose processes the
// host's kernel does not see.
func reportSandboxes(w io.Writer) {
	kinds := sandboxes("/proc")
	if len(kinds) == 0 {
		return
	}
	fmt.Fprintln(w, "\nnot seen")
	for _, kind := range kinds {
		fmt.Fprintf(w, "  %s: this kernel sees its sandboxes' own processes, and not those inside\n", kind)
	}
}

// sandboxes finds them by the shims that run and the programs that are installed.
func sandboxes(proc string) []string {
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
