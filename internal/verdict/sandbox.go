// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"path"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Sandbox names the kind of sandbox that a runtime's shim, or the program of one,
// runs containers in: gVisor or Kata Containers, whose processes this kernel does
// not see. It is empty for what shares this kernel.
func Sandbox(exe string) string {
	switch base := path.Base(exe); {
	case strings.HasPrefix(base, "containerd-shim-runsc"), base == "runsc":
		return "gVisor"
	case strings.HasPrefix(base, "containerd-shim-kata"), base == "kata-runtime":
		return "Kata Containers"
	}
	return ""
}

// unseenInside says of a death in such a sandbox what cannot be known.
func unseenInside(x *event.Exit) []event.Evidence {
	shim := monitorOf(x.Process)
	if shim == nil {
		return nil
	}
	kind := Sandbox(shim.Exe)
	if kind == "" {
		return nil
	}
	return []event.Evidence{{
		Time: x.Time, Source: path.Base(shim.Exe),
		Text: "a sandbox of " + kind + ": this kernel sees the sandbox's own processes, and not those inside, nor their signals",
	}}
}
