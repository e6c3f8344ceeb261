// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"path"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// unseenInside says of a death in such a sandbox what cannot be known.
func unseenInside(x *event.Exit) []event.Evidence {
	shim := proctree.MonitorOf(x.Process)
	if shim == nil {
		return nil
	}
	kind := proctree.SandboxKind(shim.Exe)
	if kind == "" {
		return nil
	}
	return []event.Evidence{{
		Time: x.Time, Source: path.Base(shim.Exe),
		Text: "a sandbox of " + kind + ": this kernel sees the sandbox's own processes, and not those inside, nor their signals",
	}}
}
