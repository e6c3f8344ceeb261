// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// captured: what a signal that is printed costs its sender, against sigsnoop.
func captured(b *bench) error {
	const n = 20_000
	var ours, theirs []time.Duration
	for range 5 {
		plain := b.killLoop(n, unix.SIGTERM)
		t, _, err := b.watch(nil, "--all")
		if err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
		ours = append(ours, b.killLoop(n, unix.SIGTERM)-plain)
		t.stop()
		s, _, err := b.snoop("sigsnoop")
		if err != nil {
			return err
		}
		theirs = append(theirs, b.killLoop(n, unix.SIGTERM)-plain)
		s.stop()
	}
	o, s := median(ours), median(theirs)
	note("added to a kill(2): sigtrace %.2f µs, sigsnoop %.2f µs", micros(o), micros(s))
	figure("captured and printed, × what sigsnoop adds", float64(o)/float64(s), 0.25, "×")
	return nil
}

// start: from exec to the ready file, against the others' first event.
func start(b *bench) error {
	var ours, snoop, trace []time.Duration
	for range 25 { // the medians of nine differ by a tenth
		t, took, err := b.watch(nil)
		if err != nil {
			return err
		}
		t.stop()
		ours = append(ours, took)
		s, took, err := b.snoop("sigsnoop")
		if err != nil {
			return err
		}
		s.stop()
		snoop = append(snoop, took)
	}
	for range 3 {
		t, took, err := b.snoop("bpftrace", "-e", `tracepoint:signal:signal_generate { printf("%d %d\n", args->pid, args->sig); }`)
		if err != nil {
			return err
		}
		t.stop()
		trace = append(trace, took)
	}
	o, s, p := median(ours), median(snoop), median(trace)
	note("sigtrace %.1f ms, sigsnoop %.1f ms, bpftrace %.1f ms", millis(o), millis(s), millis(p))
	figure("start to ready, × sigsnoop's first event", float64(o)/float64(s), 3, "×")
	figure("start to ready, × bpftrace's first event", float64(o)/float64(p), 0.5, "×")
	return nil
}

// counter counts the victim's signals and the losses that are reported.
type counter struct {
	w             *io.PipeWriter
	printed, lost atomic.Int64
	done          chan struct{}
}

func count() *counter {
	r, w := io.Pipe()
	c := &counter{w: w, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		s := bufio.NewScanner(r)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			line := s.Bytes()
			switch {
			case strings.Contains(string(line[:min(len(line), 60)]), `"type":"lost"`):
				var l struct{ Count int64 }
				_ = json.Unmarshal(line, &l)
				c.lost.Add(l.Count)
			case strings.Contains(string(line[:min(len(line), 300)]), `"SIGUSR1"`):
				c.printed.Add(1)
			}
		}
		_, _ = io.Copy(io.Discard, r)
	}()
	return c
}

// rate: 100,000 signals a second for ten seconds.
func rate(b *bench) error {
	const perSecond, seconds = 100_000, 10
	c := count()
	t, _, err := b.watch(c.w, "--all", "--type", "signal", "-s", "USR1")
	if err != nil {
		return err
	}
	pid := b.victim.Process.Pid
	begin := time.Now()
	sent := 0
	for sent < perSecond*seconds {
		due := int(time.Since(begin).Seconds() * perSecond)
		for ; sent < min(due, perSecond*seconds); sent++ {
			_ = unix.Kill(pid, unix.SIGUSR1)
		}
		if sent >= due {
			time.Sleep(100 * time.Microsecond)
		}
	}
	took := time.Since(begin)
	rss := rssAnon(t.cmd.Process.Pid)
	t.stop()
	c.w.Close()
	<-c.done
	note("%d sent in %.1f s, %d printed, %d lost", sent, took.Seconds(), c.printed.Load(), c.lost.Load())
	figure("lost at 100,000 signals a second for ten seconds", float64(sent)-float64(c.printed.Load()), 0, "")
	figure("RssAnon after it, MiB", rss, 40, "")
	return nil
}

// flood: as fast as it goes, every signal is printed or counted as lost.
func flood(b *bench) error {
	const n = 2_000_000
	c := count()
	t, _, err := b.watch(c.w, "--all", "--type", "signal", "-s", "USR1")
	if err != nil {
		return err
	}
	each := b.killLoop(n, unix.SIGUSR1)
	rss := rssAnon(t.cmd.Process.Pid)
	t.stop()
	c.w.Close()
	<-c.done
	printed, lost := c.printed.Load(), c.lost.Load()
	note("%d sent at %.2f µs each, %d printed, %d lost", n, micros(each), printed, lost)
	figure("sent − printed − lost at full speed", float64(n-printed-lost), 0, "")
	figure("RssAnon after it, MiB", rss, 40, "")
	return nil
}

// verdicts: from exit to verdict, among many processes in many cgroups.
func verdicts(b *bench) error {
	const processes, groups, deaths = 2000, 200, 300
	crowd, clean, err := b.crowd(processes, groups, func(i int) string { return fmt.Sprintf("sigtrace-bench-%d-%d", os.Getpid(), i) })
	if err != nil {
		return err
	}
	defer clean()
	r, w := io.Pipe()
	t, _, err := b.watch(w, "--type", "death")
	if err != nil {
		return err
	}
	delays := make(chan float64, deaths)
	go func() {
		s := bufio.NewScanner(r)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			var d struct {
				Type string
				Time time.Time
			}
			if json.Unmarshal(s.Bytes(), &d) == nil && d.Type == "death" {
				delays <- millis(time.Since(d.Time))
			}
		}
	}()
	time.Sleep(time.Second)
	for _, c := range crowd[:deaths] {
		_ = c.Process.Kill()
		time.Sleep(5 * time.Millisecond)
	}
	var all []float64
	for len(all) < deaths {
		select {
		case d := <-delays:
			all = append(all, d)
		case <-time.After(20 * time.Second):
			t.stop()
			return fmt.Errorf("%d of %d deaths printed", len(all), deaths)
		}
	}
	t.stop()
	w.Close()
	slices.Sort(all)
	note("exit to verdict: median %.0f ms, maximum %.0f ms, with %d processes in %d cgroups", all[len(all)/2], all[len(all)-1], processes, groups)
	figure("exit to verdict, 99th percentile", all[len(all)*99/100], 300, "ms")
	return nil
}
