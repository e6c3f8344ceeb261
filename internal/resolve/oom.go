// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"fmt"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Values of oc->constraint (include/linux/oom.h).
const (
	constraintNone = iota
	constraintCpuset
	constraintMempolicy
	constraintMemcg
)

// OOM makes the contract's oom event.
func (r *Resolver) OOM(e *wire.OOM) *event.OOM {
	o := &event.OOM{Header: r.Header(event.TypeOOM, e.Boottime), Scope: r.scope(e)}
	o.Context = e.Flags&wire.OOMContext != 0
	if e.Flags&wire.OOMLimitFound != 0 {
		r.addLimit(o, e)
	}
	if e.Flags&wire.OOMHasControl != 0 {
		order := int(e.Order)
		o.Order = &order
		o.GFPFlags = fmt.Sprintf("%#x", e.GFPMask)
		group := e.Flags&wire.OOMGroup != 0
		o.GroupKill = &group
	}
	adj := int(e.ScoreAdj)
	o.Victim = &event.Victim{Process: r.Process(e.Victim), OOMScoreAdj: &adj}
	if e.Anon >= 0 {
		page := uint64(e.PageSize)
		o.Victim.RSSBytes = &event.RSS{Anon: uint64(e.Anon) * page, File: pages(e.File) * page, Shmem: pages(e.Shmem) * page}
	}
	if e.Trigger.TGID != 0 {
		o.Trigger = r.Process(e.Trigger)
	}
	return o
}

// pages: per-CPU counters may stand a little below zero.
func pages(n int64) uint64 { return uint64(max(n, 0)) }

func (r *Resolver) scope(e *wire.OOM) string {
	if e.Flags&wire.OOMHasControl == 0 {
		switch {
		case has(r.functions(e.Frames), "moom_callback"):
			return "sysrq"
		case e.Flags&wire.OOMLimitFound != 0:
			return "cgroup"
		}
		return "system"
	}
	switch {
	case e.Order == -1:
		return "sysrq"
	case e.Constraint == constraintCpuset:
		return "cpuset"
	case e.Constraint == constraintMempolicy:
		return "mempolicy"
	case e.Constraint == constraintMemcg:
		return "cgroup"
	}
	return "system"
}

func (r *Resolver) addLimit(o *event.OOM, e *wire.OOM) {
	hierarchy := uint8(0)
	if r.names.MemoryV1() {
		hierarchy = 1
	}
	o.LimitCgroup = r.names.Path(hierarchy, e.LimitCgroup)
	if o.LimitCgroup != "" {
		o.LimitLevel = r.level(o.LimitCgroup)
	}
	limit, usage := e.LimitPages*uint64(e.PageSize), e.UsePages*uint64(e.PageSize)
	o.LimitBytes, o.UsageBytes = &limit, &usage
}

func (r *Resolver) level(path string) string {
	if r.names.Containers != nil {
		return r.names.Containers.Level(path)
	}
	return container.Level(path)
}
