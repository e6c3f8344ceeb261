// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"sync"

	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// writtenBefore answers whether the files have the record of a death already: they
// are read when that is first asked.
func (a *agent) writtenBefore() func(pid int, start uint64) bool {
	boot := proc.BootID()
	known := sync.OnceValue(func() map[string]bool {
		ids, err := postmortem.DeathIDs(a.c.LogDir)
		if err != nil {
			a.log.Warn("cannot read all of the written deaths; some may be reported again", "error", err)
		}
		return ids
	})
	return func(pid int, start uint64) bool { return known()[verdict.DeathID(boot, pid, start)] }
}
