// SPDX-License-Identifier: Apache-2.0

package kmsg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

func order(n int) *int       { return &n }
func bytes(n uint64) *uint64 { return &n }

// cgroup-6.18.log was recorded; fragmented.log is put together after the
// kernel's formats, for a fragmented node is hard to provoke.
func TestParser(t *testing.T) {
	for file, want := range map[string][]event.KernelOOM{
		"cgroup-6.18.log": {{
			PID: 14381, Comm: "zoo-victim", Cgroup: true, Invoker: "zoo-thin", Order: order(0), GFPFlags: "0xcc0(GFP_KERNEL)",
			LimitCgroup: "/sigtrace-test-10824-TestZoo-cgroups-oom-other", VictimCgroup: "/sigtrace-test-10824-TestZoo-cgroups-oom-other",
			Memory: &event.OOMMemory{Anon: bytes(16736256), File: bytes(0), Shmem: bytes(0), Swap: bytes(0)},
			Tasks: []event.OOMTask{
				{PID: 14381, Comm: "zoo-victim", RSSBytes: 8724480, OOMScoreAdj: order(900)},
				{PID: 14382, Comm: "zoo-thin", RSSBytes: 8581120, OOMScoreAdj: order(0)},
			},
		}},
		"fragmented.log": {{
			PID: 2467, Comm: "odd) (name", Invoker: "php-fpm: pool w", Order: order(2), GFPFlags: "0x3000d0",
			VictimCgroup: "/system.slice/php-fpm.service",
			FreeBlocks:   []uint64{4003, 1501, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		}},
	} {
		t.Run(file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			var p Parser
			var got []event.KernelOOM
			for line := range strings.Lines(string(b)) {
				if oom, done := p.Line(strings.TrimSuffix(line, "\n")); done {
					got = append(got, oom)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Reports are rate-limited, the lines of kills are not; a group shares one report.
func TestKillWithoutAReport(t *testing.T) {
	const (
		invoked = `stress invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0`
		report  = `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a,mems_allowed=0,oom_memcg=/podA,task_memcg=/podA/aaaa,task=stress,pid=100,uid=0`
		group   = `Tasks in /podA/aaaa are going to be killed due to memory.oom.group set`
		reaped  = `oom_reaper: reaped process 100 (stress), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB`
	)
	kill := func(pid string) string {
		return "Memory cgroup out of memory: Killed process " + pid + " (stress) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0"
	}
	for name, c := range map[string]struct {
		lines []string
		want  []string // the limits' cgroups
	}{
		"a report for one":             {[]string{invoked, report, kill("100"), kill("200")}, []string{"/podA", ""}},
		"a group":                      {[]string{invoked, report, kill("100"), group, kill("101"), reaped, kill("102")}, []string{"/podA", "/podA", "/podA"}},
		"another one after the group":  {[]string{invoked, report, kill("100"), group, kill("101"), "eth0: link up", kill("200")}, []string{"/podA", "/podA", ""}},
		"a group that had no report":   {[]string{kill("100"), group, kill("101")}, []string{"", ""}},
		"a report again after the gap": {[]string{invoked, report, kill("100"), kill("200"), invoked, report, kill("300")}, []string{"/podA", "", "/podA"}},
	} {
		t.Run(name, func(t *testing.T) {
			var p Parser
			var got []string
			for _, line := range c.lines {
				if k, done := p.Line(line); done {
					got = append(got, k.LimitCgroup)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A line that a process wrote to /dev/kmsg is not the kernel's.
func TestFakeLinesAreSkipped(t *testing.T) {
	const line = "Out of memory: Killed process 1 (init) total-vm:1kB"
	for record, want := range map[string]bool{
		"3,1,2,-;" + line + "\n":             true, // LOG_KERN
		"6,1,2,-;" + line + "\n SUB=x\n":     true,
		"11,1,2,-;" + line + "\n":            false, // LOG_USER
		"12,1,2,-;" + line + "\n":            false,
		"nonsense":                           false,
		";" + line:                           false,
		"31,1,2,-;" + line + "\n":            false,
		"4294967295000,1,2,-;" + line + "\n": false,
	} {
		got, own := text(record)
		if own != want || own && got != line {
			t.Errorf("%q: %q, %v", record, got, own)
		}
	}
}

// Old lines are read from a time on; a file serves as /dev/kmsg does not.
func TestPast(t *testing.T) {
	if got, err := OpenPast(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Errorf("a log that is not there: %v", got)
	}
	for record, want := range map[string]time.Duration{
		"3,1,2500000,-;x": 2500 * time.Millisecond, "6,17,0,c,caller=T1;x": 0,
		"3,1,-5,-;x": -1, "3,1;x": -1, "": -1, "3,1,99999999999999999999,-;x": -1,
	} {
		got, ok := stamp(record)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v, %v", record, got, ok)
		}
	}
}

func FuzzParser(f *testing.F) {
	for _, s := range []string{
		"x invoked oom-killer: gfp_mask=0x1, order=0, oom_score_adj=0", "Node 0 DMA: 1*4kB 2*8kB = 20kB",
		"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=x,pid=1,uid=0",
		"Out of memory: Killed process 1 (x) total-vm:1kB",
	} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, line string) {
		var p Parser
		var last any
		for range 3 {
			last, _ = p.Line(line)
		}
		said, _ := text(line)
		fuzzing.Outcome(f.Name(), last, said, p)
	})
}

// One record of an older kernel holds all figures of the cgroup, its lines escaped;
// v2 has no totals, and rows of tasks had fewer columns.
func TestReportInOneRecord(t *testing.T) {
	var p Parser
	var got event.KernelOOM
	for _, line := range []string{
		`app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0`,
		`memory: usage 32768kB, limit 32768kB, failcnt 3`,
		`Memory cgroup stats for /pod:`,
		`anon 1048576\x0afile 32505856\x0akernel_stack 16384\x0apagetables 40960\x0asock 0\x0ashmem 32505856\x0aslab 90112`,
		`Tasks state (memory values in pages):`,
		`[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name`,
		`[    100]     0   100     2338       20    57344        0           -5 a] 1 2`,
		`[    101]     0   101     2338      200    57344        0             0 big one`,
		`oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/pod,task_memcg=/pod,task=a,pid=100,uid=0`,
		`Memory cgroup out of memory: Killed process 100 (a) total-vm:9352kB, anon-rss:0kB, file-rss:0kB, shmem-rss:0kB`,
	} {
		if oom, done := p.Line(line); done {
			got = oom
		}
	}
	page := uint64(os.Getpagesize())
	want := event.KernelOOM{
		PID: 100, Comm: "a", Cgroup: true, Invoker: "app", Order: order(0), GFPFlags: "0xcc0(GFP_KERNEL)", LimitCgroup: "/pod", VictimCgroup: "/pod",
		Memory: &event.OOMMemory{
			Anon: bytes(1048576), File: bytes(32505856), Shmem: bytes(32505856), Sock: bytes(0), PageTables: bytes(40960), Slab: bytes(90112),
		},
		Tasks: []event.OOMTask{
			{PID: 101, Comm: "big one", RSSBytes: 200 * page, OOMScoreAdj: order(0)}, {PID: 100, Comm: "a] 1 2", RSSBytes: 20 * page, OOMScoreAdj: order(-5)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
