// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// OOM describes one OOM kill: the limit and its level, what filled it, the
// victim's memory.
func OOM(o *event.OOM) string {
	var parts []string
	switch o.Scope {
	case "cgroup":
		parts = append(parts, limitText(o))
	case "sysrq":
		parts = append(parts, "asked for by sysrq-f")
	case "cpuset", "mempolicy":
		parts = append(parts, "no memory left on the nodes that its "+o.Scope+" allows")
	default:
		parts = append(parts, shortage(o))
	}
	if eater := largestEater(o); eater != "" {
		parts = append(parts, eater)
	}
	if v := o.Victim; v != nil && v.RSSBytes != nil {
		parts = append(parts, fmt.Sprintf("the victim had %s anonymous, %s file and %s shared memory",
			Bytes(v.RSSBytes.Anon), Bytes(v.RSSBytes.File), Bytes(v.RSSBytes.Shmem)))
	}
	if o.Trigger != nil && o.Victim != nil && !proctree.Same(o.Trigger, o.Victim.Process) && o.Scope != "sysrq" {
		parts = append(parts, "the allocation was that of "+allocator(o))
	}
	return strings.Join(parts, "; ")
}

// allocator names the task that allocated, with its container where that is another
// than the victim's.
func allocator(o *event.OOM) string {
	t := o.Trigger
	if where := Container(t); where != "" && !proctree.SameContainer(t, o.Victim.Process) {
		return Process(t) + " in " + where
	}
	return Process(t)
}

// largestEater says what filled the limit where that is not the victim's own
// memory: files in memory, or another process.
func largestEater(o *event.OOM) string {
	used := uint64(0)
	switch {
	case o.UsageBytes != nil:
		used = *o.UsageBytes
	case o.LimitBytes != nil:
		used = *o.LimitBytes
	}
	if used == 0 || o.Scope != "cgroup" {
		return ""
	}
	if m := o.Memory; m != nil && m.Shmem != nil && 2**m.Shmem >= used {
		return fmt.Sprintf("%s of it are files in tmpfs or shared memory (/dev/shm, an emptyDir of medium Memory)", Bytes(*m.Shmem))
	}
	if len(o.Tasks) == 0 || o.Victim == nil || o.Victim.Process == nil {
		return ""
	}
	if t := o.Tasks[0]; t.PID != o.Victim.PID && 2*t.RSSBytes >= used {
		return fmt.Sprintf("%s(%d) held %s of it", safetext.Quote(t.Comm), t.PID, Bytes(t.RSSBytes))
	}
	return ""
}

func limitText(o *event.OOM) string {
	text := "the memory limit"
	if o.LimitBytes != nil {
		text += " of " + Bytes(*o.LimitBytes)
	}
	switch {
	case o.LimitLevel != "" && o.LimitCgroup != "":
		text += fmt.Sprintf(" of %s %s", levelText(o.LimitLevel), safetext.Quote(o.LimitCgroup))
	case o.LimitCgroup != "":
		text += " of cgroup " + safetext.Quote(o.LimitCgroup)
	}
	text += " was hit"
	if o.UsageBytes != nil {
		text += " (" + Bytes(*o.UsageBytes) + " in use)"
	}
	return text
}

func levelText(level string) string {
	switch level {
	case "container", "pod", "service", "slice", "node":
		return "the " + level + "'s cgroup"
	case "qos":
		return "the QoS class's cgroup"
	}
	return "cgroup"
}

func shortage(o *event.OOM) string {
	if o.Order == nil || *o.Order <= 0 {
		return "the node was out of memory"
	}
	if frag := fragmented(o); frag != "" {
		return frag
	}
	return fmt.Sprintf("the node found no %d contiguous pages (order %d)", 1<<*o.Order, *o.Order)
}

// fragmented says that memory was there and only too scattered: blocks free
// below the order that was asked for, none at it or above.
func fragmented(o *event.OOM) string {
	n := *o.Order
	if n >= len(o.FreePagesByOrder) {
		return ""
	}
	var pages uint64
	for order, blocks := range o.FreePagesByOrder {
		if order >= n && blocks > 0 {
			return ""
		}
		pages += blocks << order
	}
	if pages == 0 {
		return ""
	}
	return fmt.Sprintf("memory was fragmented: %d contiguous pages (order %d) were asked for, and %d free pages lay in smaller blocks only", 1<<n, n, pages)
}

// Bytes shows a size for people, in powers of 1024.
func Bytes(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
