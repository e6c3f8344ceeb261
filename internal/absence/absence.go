// SPDX-License-Identifier: Apache-2.0

// Package absence lists what ended while no agent was running, from what the
// container runtime and the kernel's log remember of it. It is pure: the caller has
// asked them.
package absence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	// Slack is how long before an agent was last seen its absence may have
	// begun: it says that it is there every ten seconds.
	Slack = 15 * time.Second
	// sameKill is how far apart a record and a line of the log on one kill
	// may be.
	sameKill = 3 * time.Second
	// reaped is how long after an OOM kill its container may be listed as ended.
	reaped = 10 * time.Second
	// endsMax bounds how many are listed: the newest.
	endsMax = 1000
	killed  = 128 + 9
)

// Written is a death that the files have.
type Written struct {
	ID        string
	Time      time.Time
	PID       int
	Container string
	// Init: it was the container's init.
	Init bool
}

// Account is what others remember.
type Account struct {
	Since, Until time.Time
	BootID, Node string
	Containers   []container.Past
	OOMs         []event.KernelOOM
	Written      []Written
	// Name fills in container and pod of a process by its cgroup; may be nil.
	Name func(*event.Process)
	// Drift is by how much the times of the kernel log's lines may be off: its clock
	// is the processor's, which nobody sets right.
	Drift time.Duration
	// Boottime turns wall time into CLOCK_BOOTTIME in nanoseconds.
	Boottime func(time.Time) uint64
}

// Ends are the ends that nobody saw and no file has, oldest first.
func Ends(a Account) []*event.Exit {
	var ends []*event.Exit
	ooms := slices.DeleteFunc(slices.Clone(a.OOMs), func(k event.KernelOOM) bool { return a.outside(k.Time, a.Drift) || a.hasKill(k) })
	for i, c := range a.Containers {
		if a.outside(c.Time, 0) || a.hasContainer(c) {
			continue
		}
		x := a.ended(c, -1-i)
		if at := slices.IndexFunc(ooms, func(k event.KernelOOM) bool { return a.isOf(k, c) }); at >= 0 {
			killedBy(x, ooms[at])
			ooms = slices.Delete(ooms, at, at+1)
		}
		ends = append(ends, x)
	}
	for _, k := range ooms {
		ends = append(ends, a.oom(k))
	}
	slices.SortStableFunc(ends, func(x, y *event.Exit) int { return cmp.Compare(x.BoottimeNS, y.BoottimeNS) })
	return ends[max(0, len(ends)-endsMax):]
}

func (a Account) outside(t time.Time, drift time.Duration) bool {
	return t.Before(a.Since.Add(-Slack-drift)) || t.After(a.Until.Add(time.Second+drift))
}

func (a Account) hasContainer(c container.Past) bool {
	id := containerID(c)
	return slices.ContainsFunc(a.Written, func(w Written) bool {
		return w.ID == id || w.Init && w.Container != "" && w.Container == c.ID
	})
}

func (a Account) hasKill(k event.KernelOOM) bool {
	id := a.oomID(k)
	return slices.ContainsFunc(a.Written, func(w Written) bool {
		d := w.Time.Sub(k.Time)
		return w.ID == id || w.PID == k.PID && d > -sameKill-a.Drift && d < sameKill+a.Drift
	})
}

// isOf: the log's line and the runtime's word are of one end. The runtime knows
// of init's end only, so the kill was of init, or took it along.
func (a Account) isOf(k event.KernelOOM, c container.Past) bool {
	d := c.Time.Sub(k.Time)
	return c.ExitCode == killed && container.ParsePath(k.VictimCgroup).ID == c.ID && d > -sameKill-a.Drift && d < reaped+a.Drift
}

func (a Account) ended(c container.Past, pid int) *event.Exit {
	init := true
	return &event.Exit{
		Header: a.header(c.Time),
		Process: &event.Process{
			PID: pid, Pod: c.Pod,
			Container: &event.Container{ID: c.ID, Name: c.Name, Image: c.Image, Runtime: c.Runtime, Init: &init},
		},
		Exit:       event.ExitStatus{Code: c.ExitCode},
		ExitDetail: event.ExitDetail{Absent: a.absent(cmp.Or(c.Runtime, "cri"), c.Reason, containerID(c))},
	}
}

func killedBy(x *event.Exit, k event.KernelOOM) {
	x.Process.PID, x.Process.Comm, x.Process.Cgroup = k.PID, k.Comm, k.VictimCgroup
	x.Exit.Signal, x.SignalNumber = "SIGKILL", 9
	x.Absent.Log = &k
}

func (a Account) oom(k event.KernelOOM) *event.Exit {
	x := &event.Exit{
		Header: a.header(k.Time), Process: &event.Process{},
		Exit:       event.ExitStatus{Code: killed},
		ExitDetail: event.ExitDetail{Absent: a.absent("kernel log", "", a.oomID(k))},
	}
	killedBy(x, k)
	if a.Name != nil {
		a.Name(x.Process)
	}
	return x
}

func (a Account) absent(source, reason, id string) *event.Absent {
	return &event.Absent{Since: a.Since, Until: a.Until, ID: id, Source: source, Reason: reason}
}

func (a Account) header(t time.Time) event.Header {
	h := event.Header{Schema: event.Schema, Type: event.TypeExit, Time: t, Node: a.Node}
	if a.Boottime != nil {
		h.BoottimeNS = a.Boottime(t)
	}
	return h
}

// containerID and oomID are the same whenever they are computed: a container's
// id is never used again, and a line of the log keeps its time.
func containerID(c container.Past) string { return id("container", c.ID) }

func (a Account) oomID(k event.KernelOOM) string {
	return id("oom", a.BootID, fmt.Sprint(k.PID), fmt.Sprint(k.SinceBoot))
}

func id(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, " ")))
	return hex.EncodeToString(sum[:8])
}
