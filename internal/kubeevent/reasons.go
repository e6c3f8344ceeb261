// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Reasons of the Events. `kubectl get events --field-selector reason=…` and
// alerts name them: they are as stable as the causes.
const (
	// ReasonOOM: a memory limit. ReasonSystemOOM: the node had no memory left.
	ReasonOOM       = "SigtraceOOM"
	ReasonSystemOOM = "SigtraceSystemOOM"
	// ReasonProbe: kubelet had it killed after a probe failed.
	ReasonProbe = "SigtraceProbe"
	// ReasonEvict: it had to make room for others.
	ReasonEvict = "SigtraceEvict"
	// ReasonStop: it was stopped because it was asked for.
	ReasonStop = "SigtraceStop"
	// ReasonKill: somebody or something killed it.
	ReasonKill = "SigtraceKill"
	// ReasonCrash: the kernel or it itself ended it for what it did.
	ReasonCrash = "SigtraceCrash"
)

// telling is how the deaths of one cause are told.
type telling struct {
	reason string
	kind   string
	// inner: also of processes beside the container's init. They die in numbers
	// for their own reasons (a shell's children, a supervisor's); what came from
	// outside or from the kernel is told.
	inner bool
}

// table is closed: a cause that it does not know is told as a kill, and one that
// Kubernetes itself tells well enough (it exited) is not told.
func table() map[event.Cause]telling {
	const warning, normal = corev1.EventTypeWarning, corev1.EventTypeNormal
	return map[event.Cause]telling{
		event.CauseCgroupOOM:    {ReasonOOM, warning, true},
		event.CauseSystemOOM:    {ReasonSystemOOM, warning, true},
		event.CauseUserspaceOOM: {ReasonEvict, warning, true},

		event.CauseLivenessProbe: {ReasonProbe, warning, false},
		event.CauseStartupProbe:  {ReasonProbe, warning, false},

		event.CauseEvicted:   {ReasonEvict, warning, false},
		event.CausePreempted: {ReasonEvict, warning, false},

		event.CausePodDeleted:       {ReasonStop, normal, false},
		event.CausePodFinished:      {ReasonStop, normal, false},
		event.CauseNodeShutdown:     {ReasonStop, normal, false},
		event.CauseContainerChanged: {ReasonStop, normal, false},
		event.CauseSandboxChanged:   {ReasonStop, normal, false},
		event.CauseDeadlineExceeded: {ReasonStop, warning, false},
		event.CausePoststartHook:    {ReasonStop, warning, false},
		event.CauseRuntimeStop:      {ReasonStop, warning, false},

		event.CauseRuntimeCleanup: {ReasonKill, warning, false},
		event.CauseForeignProcess: {ReasonKill, warning, true},
		event.CauseExecSession:    {ReasonKill, warning, true},
		event.CauseSameContainer:  {ReasonKill, warning, false},
		event.CauseBPFProgram:     {ReasonKill, warning, true},
		event.CauseSysrq:          {ReasonKill, warning, true},
		event.CauseDebugger:       {ReasonKill, warning, true},
		event.CauseServiceManager: {ReasonKill, warning, false},
		event.CauseAsyncIO:        {ReasonKill, warning, false},
		event.CauseParentDeath:    {ReasonKill, warning, false},
		event.CauseTerminal:       {ReasonKill, warning, false},
		event.CauseTimer:          {ReasonKill, warning, false},
		event.CauseBrokenPipe:     {ReasonKill, warning, false},
		event.CauseUnknown:        {ReasonKill, warning, false},

		event.CauseSelfSignal:    {ReasonCrash, warning, false},
		event.CauseKernelFault:   {ReasonCrash, warning, true},
		event.CauseSeccomp:       {ReasonCrash, warning, true},
		event.CauseResourceLimit: {ReasonCrash, warning, false},
		event.CauseHardwareError: {ReasonCrash, warning, true},

		// It went with its init, whose death is told.
		event.CausePIDNamespaceEnded: {},
		// Kubernetes tells exit codes.
		event.CauseExited: {},
	}
}

// tell is how this death is told; ok is false where it is not.
func (s *Sink) tell(d *event.Death) (t telling, ok bool) {
	t, known := s.table[d.Cause]
	if !known {
		t = telling{reason: ReasonKill, kind: corev1.EventTypeWarning}
	}
	if t.reason == "" {
		return telling{}, false
	}
	init := d.Process.Container != nil && d.Process.Container.Init != nil && *d.Process.Container.Init
	return t, init || t.inner
}
