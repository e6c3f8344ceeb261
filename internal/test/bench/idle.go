// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os/exec"
	"time"

	"github.com/sigtrace/sigtrace/internal/usage"
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
	before, err := usage.CPUTime(pid)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	meanwhile()
	after, err := usage.CPUTime(pid)
	return 100 * (after - before).Seconds() / time.Since(begin).Seconds(), err
}

func rssAnon(pid int) float64 {
	kib, _ := usage.RSSAnon(pid) // 0 of one that has gone is over no budget; its other figures show that
	return float64(kib) / 1024
}
