// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// who tells what a sender is to the dead. No comm is asked, for anybody can
// call itself runc: what counts is the executable's path, where the process
// runs, and from whom it descends.
func (e *Engine) who(from *event.Process, st *story, f *finding) event.Cause {
	dead := f.deciding.Target
	switch {
	case proctree.Same(from, dead):
		return event.CauseSelfSignal
	case proctree.IsOOMDaemon(from):
		return event.CauseUserspaceOOM
	case proctree.IsServiceManager(from, dead):
		return event.CauseServiceManager
	case proctree.IsRuntime(from, dead):
		return event.CauseRuntimeStop
	case !proctree.SameContainer(from, dead):
		return event.CauseForeignProcess
	case proctree.IsExecSession(from, dead):
		return event.CauseExecSession
	}
	return event.CauseSameContainer
}
