// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// idle: the agent on a node with a hundred containers in which nothing dies, at
// rest, and while ten short processes a second come and go, as probes do.
func idle(b *bench) error {
	const containers, long = 100, 60 * time.Second
	_, clean, err := b.crowd(containers, containers, func(i int) string { return fmt.Sprintf("docker-%064x.scope", 1<<40+i) })
	if err != nil {
		return err
	}
	defer clean()
	t, _, err := b.agent(nil)
	if err != nil {
		return err
	}
	defer t.stop()
	time.Sleep(10 * time.Second) // what starting took, and seeding
	rest, err := share(t.cmd.Process.Pid, func() { time.Sleep(long) })
	if err != nil {
		return err
	}
	busy, err := share(t.cmd.Process.Pid, func() {
		for begin := time.Now(); time.Since(begin) < long; time.Sleep(100 * time.Millisecond) {
			_ = exec.Command("true").Run()
		}
	})
	if err != nil {
		return err
	}
	figure("the agent at rest, per cent of a core", rest, 0.5, "%")
	note("with ten short processes a second: %.2f%%", busy)
	figure("its RssAnon, MiB", rssAnon(t.cmd.Process.Pid), 40, "")
	return nil
}

// share is the processor time that a process uses meanwhile, in per cent.
func share(pid int, meanwhile func()) (float64, error) {
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	meanwhile()
	after, err := cpuTime(pid)
	return 100 * (after - before).Seconds() / time.Since(begin).Seconds(), err
}

// cpuTime is from sum_exec_runtime of /proc/PID/task/TID/schedstat: ticks of
// /proc/PID/stat are too coarse for a process that hardly runs.
func cpuTime(pid int) (time.Duration, error) {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, task := range tasks {
		b, err := os.ReadFile(dir + "/" + task.Name() + "/schedstat")
		if err != nil {
			return 0, err
		}
		ns, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s/%s/schedstat: %w", dir, task.Name(), err)
		}
		total += time.Duration(ns)
	}
	return total, nil
}

func rssAnon(pid int) float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "RssAnon:" {
			kib, _ := strconv.ParseFloat(f[1], 64)
			return kib / 1024
		}
	}
	return 0
}
