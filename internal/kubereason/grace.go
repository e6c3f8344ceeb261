// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// graceMax bounds a grace period: signals are not remembered for longer.
const graceMax = 10 * time.Minute

// Grace is the longest grace period that is known of for a container of the pod:
// the pod's own, a probe's, or one that came with a deletion or a stop.
func (p *Pod) Grace(container string) time.Duration {
	longest := int64(0)
	know := func(s *int64) {
		if s != nil {
			longest = max(longest, *s)
		}
	}
	if p.settings != nil {
		know(p.settings.GraceSeconds)
	}
	if c := p.container(container); c != nil {
		for _, probe := range []*kubefact.ProbeSettings{c.Liveness, c.Startup} {
			if probe != nil {
				know(probe.GraceSeconds)
			}
		}
	}
	for _, f := range p.facts {
		know(f.GraceSeconds)
	}
	return seconds(min(longest, int64(graceMax/time.Second)))
}

// grace is the longest that kubelet waits for a preStop hook before it has the
// stop signal sent.
func (s *Stop) grace() time.Duration {
	if s.Pod.settings == nil || s.Pod.settings.GraceSeconds == nil {
		return graceMax
	}
	return s.Pod.Grace(s.Container)
}
