// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// kubernetesSays is the reason and exit code that Kubernetes reports for the
// same death, and whether they agree with what was seen. The runtime sets
// OOMKilled from a counter of the whole cgroup: it is wrong in both directions.
func (e *Engine) kubernetesSays(st *story, f *finding) *event.KubernetesSays {
	p := st.process
	if p.Pod == nil || p.Container == nil {
		return nil
	}
	if !proctree.IsInit(p) {
		if f.oom == nil || e.kube.PodOf(p) == nil {
			return nil
		}
		return &event.KubernetesSays{} // of a process besides the init it says nothing
	}
	t := e.kube.PodOf(p).Status(p.Container.ID)
	if t == nil {
		return nil
	}
	says := &event.KubernetesSays{Reason: t.Reason, ExitCode: t.ExitCode}
	if f.cause == event.CauseStartFailed && kubefact.IsStartFailure(t.Reason) {
		says.Agrees = true // the code is the runtime's: it has a program's place
		return says
	}
	says.Agrees = (t.Reason == "OOMKilled") == (f.oom != nil) && (t.ExitCode == nil || *t.ExitCode == st.exit.Exit.Code)
	return says
}
