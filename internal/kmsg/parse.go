// SPDX-License-Identifier: Apache-2.0

package kmsg

import (
	"math/bits"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Parser collects the lines of an OOM report until the kill itself. Reports do
// not interleave: the kernel holds oom_lock over one. A kill may have none: reports
// are rate-limited (oom_rs, ten in five seconds), the line of a kill is not.
type Parser struct {
	report event.KernelOOM
	tables report
	// last is the report of the kill before, which those of its group share.
	last event.KernelOOM
	// group: what is killed now is of memory.oom.group, until another line comes.
	group bool
}

type patterns struct{ invoked, zone, block, kill, killed, group *regexp.Regexp }

// The forms of 5.10 to 7.x (mm/oom_kill.c dump_header and __oom_kill_process,
// lib/show_mem.c or mm/page_alloc.c show_free_areas). A comm may hold anything
// but a line end, so what follows it anchors at the end where that can be.
var forms = sync.OnceValue(func() patterns {
	return patterns{
		invoked: regexp.MustCompile(`^(.*) invoked oom-killer: gfp_mask=(0x[0-9a-f]+(?:\([^)]*\))?), (?:nodemask=[^,]*, )?order=(-?\d+), oom_score_adj=-?\d+$`),
		zone:    regexp.MustCompile(`^Node \d+ \w+: (\d+\*\d+kB .*)= \d+kB$`),
		block:   regexp.MustCompile(`(\d+)\*(\d+)kB`),
		kill:    regexp.MustCompile(`^oom-kill:constraint=(\w+),.*?(?:,oom_memcg=([^,]*))?(?:,global_oom)?,task_memcg=([^,]*)`),
		killed:  regexp.MustCompile(`^(Memory cgroup out of memory|Out of memory(?: \(oom_kill_allocating_task\))?): Killed process (\d+) \((.*)\) total-vm:`),
		group:   regexp.MustCompile(`^Tasks in .* are going to be killed due to memory\.oom\.group set$`),
	}
})

// Line takes in one line of the log, without its prefix, and returns the
// report that it completes. Up to 6.x a record may hold many lines, whose ends
// /dev/kmsg writes as \\x0a.
func (p *Parser) Line(text string) (event.KernelOOM, bool) {
	for {
		line, rest, more := strings.Cut(text, `\x0a`)
		if done, ok := p.line(line); ok {
			return done, true
		}
		if !more {
			return event.KernelOOM{}, false
		}
		text = rest
	}
}

func (p *Parser) line(text string) (event.KernelOOM, bool) {
	f := forms()
	if p.tables.line(text) {
		return event.KernelOOM{}, false
	}
	if m := f.invoked.FindStringSubmatch(text); m != nil {
		order, _ := strconv.Atoi(m[3])
		p.report, p.group, p.tables = event.KernelOOM{Invoker: m[1], GFPFlags: m[2], Order: &order}, false, report{}
		return event.KernelOOM{}, false
	}
	if m := f.zone.FindStringSubmatch(text); m != nil {
		p.zone(f.block.FindAllStringSubmatch(m[1], -1))
		return event.KernelOOM{}, false
	}
	if m := f.kill.FindStringSubmatch(text); m != nil {
		p.report.LimitCgroup, p.report.VictimCgroup = m[2], m[3]
		p.report.Memory, p.report.Tasks, p.tables = p.tables.memory(), p.tables.largest(), report{}
		return event.KernelOOM{}, false
	}
	m := f.killed.FindStringSubmatch(text)
	switch {
	case f.group.MatchString(text):
		p.report, p.group = p.last, true
		return event.KernelOOM{}, false
	case m == nil:
		if p.group && !strings.HasPrefix(text, "oom_reaper:") {
			p.report, p.group = event.KernelOOM{}, false
		}
		return event.KernelOOM{}, false
	}
	done := p.report
	if !p.group {
		p.last, p.report = p.report, event.KernelOOM{}
	}
	done.PID, _ = strconv.Atoi(m[2])
	done.Comm, done.Cgroup = m[3], strings.HasPrefix(m[1], "Memory cgroup")
	if done.Cgroup {
		done.FreeBlocks = nil
	}
	return done, true
}

// zone adds the free blocks of one zone; the first size is that of a page.
func (p *Parser) zone(blocks [][]string) {
	if len(blocks) == 0 {
		return
	}
	page, _ := strconv.ParseUint(blocks[0][2], 10, 64)
	for _, b := range blocks {
		n, _ := strconv.ParseUint(b[1], 10, 64)
		size, _ := strconv.ParseUint(b[2], 10, 64)
		if page == 0 || size < page {
			continue
		}
		order := bits.Len64(size/page) - 1
		if order > 32 {
			continue
		}
		for len(p.report.FreeBlocks) <= order {
			p.report.FreeBlocks = append(p.report.FreeBlocks, 0)
		}
		p.report.FreeBlocks[order] += n
	}
}

// kernelFacility is 0 (LOG_KERN): what the kernel itself wrote.
const kernelFacility = 0

// text takes the kernel's own text out of a record of /dev/kmsg:
// "level+facility,sequence,timestamp,flags;text\n key=value…".
func text(record string) (string, bool) {
	prefix, rest, ok := strings.Cut(record, ";")
	if !ok {
		return "", false
	}
	number, _, _ := strings.Cut(prefix, ",")
	n, err := strconv.Atoi(number)
	if err != nil || n>>3 != kernelFacility {
		return "", false
	}
	line, _, _ := strings.Cut(rest, "\n")
	return line, true
}
