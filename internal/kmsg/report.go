// SPDX-License-Identifier: Apache-2.0

package kmsg

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/sigtrace/sigtrace/internal/event"
)

// tasksMax is how many tasks of a report are kept, the largest; tasksRead bounds
// those that are read.
const (
	tasksMax  = 10
	tasksRead = 4096
)

type tables struct{ usage, stats, stat, head, row *regexp.Regexp }

// The memory cgroup's figures and the table of tasks (mm/memcontrol.c
// mem_cgroup_print_oom_meminfo, mm/oom_kill.c dump_tasks), 5.10 to 7.x.
var tableForms = sync.OnceValue(func() tables {
	return tables{
		usage: regexp.MustCompile(`^memory: usage (\d+)kB, limit (\d+)kB, failcnt \d+$`),
		stats: regexp.MustCompile(`^Memory cgroup stats for .*:$`),
		stat:  regexp.MustCompile(`^([a-z_]+) (\d+)$`),
		head:  regexp.MustCompile(`^\[\s*pid\s*\]`),
		row:   regexp.MustCompile(`^\[\s*(\d+)\]((?:\s+-?\d+)+)\s(.*)$`),
	}
})

// report collects the tables of one OOM report.
type report struct {
	// inStats: the lines are the figures of the cgroup whose limit was hit.
	inStats bool
	stats   map[string]uint64
	// columns of the table of tasks, empty before its head.
	columns []string
	tasks   []event.OOMTask
}

// line takes in one line of a report's tables; it answers false for any other.
func (r *report) line(text string) bool {
	f := tableForms()
	switch {
	case f.stats.MatchString(text):
		r.inStats, r.stats = true, map[string]uint64{}
	case f.head.MatchString(text):
		r.inStats = false
		r.columns = strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(text))
	case r.inStats:
		m := f.stat.FindStringSubmatch(text)
		if m == nil {
			r.inStats = false
			return false
		}
		r.stats[m[1]], _ = strconv.ParseUint(m[2], 10, 64)
	case r.columns != nil:
		m := f.row.FindStringSubmatch(text)
		if m == nil {
			return false
		}
		r.row(m)
	default:
		return false
	}
	return true
}

// row reads one task. Columns were added over time; the head names them.
func (r *report) row(m []string) {
	fields := append([]string{m[1]}, strings.Fields(m[2])...)
	if len(r.tasks) >= tasksRead || len(fields) != len(r.columns)-1 {
		return
	}
	t := event.OOMTask{Comm: m[3]}
	for i, value := range fields {
		n, _ := strconv.ParseInt(value, 10, 64)
		switch r.columns[i] {
		case "tgid":
			t.PID = int(n)
		case "rss":
			t.RSSBytes = uint64(max(n, 0)) * uint64(os.Getpagesize())
		case "oom_score_adj":
			adj := int(n)
			t.OOMScoreAdj = &adj
		}
	}
	r.tasks = append(r.tasks, t)
}

// memory is the breakdown of the cgroup whose limit was hit, with all below it:
// v1 has that in its total_ figures, v2 in the plain ones. It is nil where the
// report has none.
func (r *report) memory() *event.OOMMemory {
	if len(r.stats) == 0 {
		return nil
	}
	get := func(names ...string) *uint64 {
		for _, n := range names {
			if v, ok := r.stats[n]; ok {
				return &v
			}
		}
		return nil
	}
	m := &event.OOMMemory{
		Anon: get("total_rss", "anon", "rss"), File: get("total_cache", "file", "cache"), Shmem: get("total_shmem", "shmem"),
		Kernel: get("kernel"), Slab: get("slab"), Sock: get("sock"), PageTables: get("pagetables"), Swap: get("total_swap", "swap"),
	}
	if *m == (event.OOMMemory{}) {
		return nil
	}
	return m
}

// largest are the tasks with the most resident memory, the largest first.
func (r *report) largest() []event.OOMTask {
	slices.SortStableFunc(r.tasks, func(a, b event.OOMTask) int { return cmp.Compare(b.RSSBytes, a.RSSBytes) })
	return r.tasks[:min(len(r.tasks), tasksMax)]
}
