// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/kubereason"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// probeKilled lists the OOM kills of processes that were brought into the container
// from outside while its exec probe was failing: they may be why it failed, for the
// probe's command counts against the container's own limit.
func (e *Engine) probeKilled(st *story, s *kubereason.Stop, r *kubereason.Reason) []event.Evidence {
	p := r.Failure.Settings
	if r.Cause != event.CauseLivenessProbe && r.Cause != event.CauseStartupProbe || p == nil || p.Handler != kubefact.ProbeExec {
		return nil
	}
	row := time.Duration(max(r.Failure.Failed, p.FailureThreshold)*(p.PeriodSeconds+p.TimeoutSeconds)+1) * time.Second
	var list []event.Evidence
	for _, o := range e.ooms {
		v := o.Victim.Process
		session, _ := proctree.ExecSession(v, st.process)
		if o.Time.After(s.Began) || o.Time.Before(s.Began.Add(-row)) || !proctree.SameContainer(v, st.process) ||
			proctree.IsInit(v) || !session {
			continue
		}
		list = append(list, event.Evidence{
			Time: o.Time, Source: oomSource(o),
			Text: phrase.Process(v) + ", brought into the container from outside as an exec probe is, was OOM-killed",
		})
	}
	return list
}
