// SPDX-License-Identifier: Apache-2.0

package report

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/postmortem"
)

// kind is what causes have in common; it has a colour.
type kind struct {
	ID, Name string
	Count    int
}

// kinds in the order in which they are stacked.
func kinds() []kind {
	return []kind{
		{ID: "memory", Name: "out of memory"},
		{ID: "process", Name: "killed by a process"},
		{ID: "kube", Name: "stopped by Kubernetes"},
		{ID: "runtime", Name: "stopped by a runtime or a service manager"},
		{ID: "self", Name: "its own doing"},
		{ID: "unknown", Name: "unknown"},
	}
}

// kindOf sorts a cause; one that this version does not know is unknown to it.
func kindOf(c event.Cause) string {
	switch c {
	case event.CauseCgroupOOM, event.CauseSystemOOM, event.CauseUserspaceOOM:
		return "memory"
	case event.CauseForeignProcess, event.CauseExecSession, event.CauseSameContainer, event.CauseBPFProgram,
		event.CauseSysrq, event.CauseDebugger, event.CauseTerminal, event.CauseParentDeath:
		return "process"
	case event.CauseLivenessProbe, event.CauseStartupProbe, event.CausePodDeleted, event.CauseEvicted, event.CausePreempted,
		event.CauseNodeShutdown, event.CauseDeadlineExceeded, event.CauseContainerChanged, event.CausePoststartHook,
		event.CauseSandboxChanged, event.CausePodFinished:
		return "kube"
	case event.CauseRuntimeStop, event.CauseRuntimeCleanup, event.CauseServiceManager, event.CausePIDNamespaceEnded:
		return "runtime"
	case event.CauseSelfSignal, event.CauseKernelFault, event.CauseSeccomp, event.CauseResourceLimit, event.CauseTimer,
		event.CauseBrokenPipe, event.CauseAsyncIO, event.CauseHardwareError, event.CauseExited:
		return "self"
	}
	return "unknown"
}

// kindsOf counts the kinds that are there.
func kindsOf(deaths []postmortem.Past) []kind {
	counts := map[string]int{}
	for _, p := range deaths {
		counts[kindOf(p.Death.Cause)]++
	}
	var some []kind
	for _, k := range kinds() {
		if k.Count = counts[k.ID]; k.Count > 0 {
			some = append(some, k)
		}
	}
	return some
}
