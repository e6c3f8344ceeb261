// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// process and death mirror the contract, from outside: a renamed field fails.
type process struct {
	PID       int      `json:"pid"`
	Comm      string   `json:"comm"`
	Exe       string   `json:"exe"`
	Args      []string `json:"args"`
	Cgroup    string   `json:"cgroup"`
	Container *struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Init *bool  `json:"init"`
	} `json:"container"`
	Pod *struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		UID       string `json:"uid"`
	} `json:"pod"`
}

type death struct {
	Type     string   `json:"type"`
	ID       string   `json:"id"`
	Revision int      `json:"revision"`
	Process  *process `json:"process"`
	Exit     struct {
		Code   int    `json:"code"`
		Signal string `json:"signal"`
	} `json:"exit"`
	Cause       string   `json:"cause"`
	Confidence  string   `json:"confidence"`
	Summary     string   `json:"summary"`
	Actor       *process `json:"actor"`
	RequestedBy string   `json:"requested_by"`
	Chain       []struct {
		Process *process `json:"process"`
		What    string   `json:"what"`
	} `json:"chain"`
	Signals []struct {
		Signal     string   `json:"signal"`
		GapSeconds *float64 `json:"gap_seconds"`
	} `json:"signals"`
	Evidence       []struct{ Source, Text string } `json:"evidence"`
	KubernetesSays *struct {
		Reason   string `json:"reason"`
		ExitCode *int   `json:"exit_code"`
		Agrees   *bool  `json:"agrees"`
	} `json:"kubernetes_says"`
	OOM *struct {
		Scope       string `json:"scope"`
		LimitLevel  string `json:"limit_level"`
		LimitCgroup string `json:"limit_cgroup"`
	} `json:"oom"`
	EventsLost int `json:"events_lost"`
}

// watcher is a running sigtrace with some sources of evidence.
type watcher struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	stderr bytes.Buffer
	mu     sync.Mutex
	deaths []death
	ended  chan struct{}
}

func watch(t *testing.T, name string, flags ...string) *watcher {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	args := append([]string{"watch", "-o", "json", "--type", "death", "--ready-file", ready, "--docker-host", "off"}, flags...)
	if dir := os.Getenv("RECORD"); dir != "" && name == all {
		args = append(args, "--record", filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".jsonl"))
	}
	w := &watcher{t: t, name: name, cmd: exec.Command(built(t).sigtrace, args...), ended: make(chan struct{})}
	w.cmd.Stderr = &w.stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var copy io.Writer = io.Discard
	if dir := os.Getenv("KEEP_LOGS"); dir != "" {
		f, err := os.Create(filepath.Join(dir, t.Name()+"-"+name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		copy = f
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go w.read(io.TeeReader(out, copy))
	t.Cleanup(w.stop)
	eventually(t, "sigtrace is ready: "+name, func() bool {
		select {
		case <-w.ended:
			t.Fatalf("sigtrace %s ended: %s", name, &w.stderr)
		default:
		}
		_, err := os.Stat(ready)
		return err == nil
	})
	return w
}

func (w *watcher) read(out io.Reader) {
	defer close(w.ended)
	s := bufio.NewScanner(out)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		var d death
		if err := json.Unmarshal(s.Bytes(), &d); err != nil {
			w.t.Errorf("%s: not JSON: %v: %s", w.name, err, s.Text())
			continue
		}
		if d.Type == "death" {
			w.mu.Lock()
			w.deaths = append(w.deaths, d)
			w.mu.Unlock()
		}
	}
}

// stop ends it as Ctrl-C would.
func (w *watcher) stop() {
	_ = w.cmd.Process.Signal(unix.SIGTERM)
	<-w.ended
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("sigtrace %s ended with %v: %s", w.name, err, &w.stderr)
	}
	if w.stderr.Len() > 0 {
		w.t.Logf("sigtrace %s said: %s", w.name, &w.stderr)
	}
}

// of are the records, all revisions in order, of the deaths that match.
func (w *watcher) of(match func(death) bool) []death {
	w.mu.Lock()
	defer w.mu.Unlock()
	var hits []death
	for _, d := range w.deaths {
		if d.Process != nil && match(d) {
			hits = append(hits, d)
		}
	}
	return hits
}
