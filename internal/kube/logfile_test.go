// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// killLine is a line of a kubelet's log that names container n.
func killLine(n int) string {
	return fmt.Sprintf("%s       1 kuberuntime_container.go:866] \"Killing container with a grace period\" pod=\"shop/web-%d\""+
		" podUID=\"u\" containerName=\"app\" containerID=\"containerd://%064x\" gracePeriod=30\n", time.Now().UTC().Format("I0102 15:04:05.000000"), n, n)
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// listener keeps what a source shows until it is asked for.
type listener struct {
	reported chan kubefact.Fact
	kept     []kubefact.Fact
}

// follow runs a source and listens to it.
func follow(t *testing.T, s Source) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reported := make(chan kubefact.Fact, 1024)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx, func(f kubefact.Fact) { reported <- f })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return &listener{reported: reported}
}

// next waits for a fact of one kind; the others keep.
func next(t *testing.T, l *listener, kind kubefact.Kind) kubefact.Fact {
	t.Helper()
	for i, f := range l.kept {
		if f.Kind == kind {
			l.kept = slices.Delete(l.kept, i, i+1)
			return f
		}
	}
	deadline := time.After(10 * time.Second)
	for {
		select {
		case f := <-l.reported:
			if f.Kind == kind {
				return f
			}
			l.kept = append(l.kept, f)
		case <-deadline:
			t.Fatalf("nothing was told of kind %s", kind)
		}
	}
}

func expectPod(t *testing.T, reported *listener, n int) {
	t.Helper()
	if f := next(t, reported, kubefact.Stopping); f.Pod != fmt.Sprint("web-", n) {
		t.Fatalf("got %s, want web-%d", f.Pod, n)
	}
}

func TestLogFileThroughRotations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubelet.log")
	source := NewLogFile(path, time.UTC)
	reported := follow(t, source)
	if f := next(t, reported, kubefact.Unavailable); f.Text == "" {
		t.Error("why it is blind is not told")
	}
	appendTo(t, path, killLine(1))
	next(t, reported, kubefact.Available)
	for end := time.Now().Add(10 * time.Second); source.State() != Connected; time.Sleep(time.Millisecond) {
		if time.Now().After(end) { // its lines are reported before its state is
			t.Fatalf("state %q", source.State())
		}
	}
	appendTo(t, path, killLine(2)[:60])
	time.Sleep(2 * logEvery) // half a line is none
	appendTo(t, path, killLine(2)[60:])
	expectPod(t, reported, 1)
	expectPod(t, reported, 2)

	if err := os.Rename(path, path+".1"); err != nil { // renamed, and still written to
		t.Fatal(err)
	}
	appendTo(t, path+".1", killLine(3))
	appendTo(t, path, killLine(4))
	expectPod(t, reported, 3)
	expectPod(t, reported, 4)

	if err := os.Truncate(path, 0); err != nil { // copied and truncated
		t.Fatal(err)
	}
	time.Sleep(2 * logEvery)
	appendTo(t, path, killLine(5))
	expectPod(t, reported, 5)
}

// At the start the end of a long log is read back, and no more.
func TestLogFileBacklog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubelet.log")
	text := ""
	for n := range 3000 {
		text += killLine(n)
	}
	appendTo(t, path, text)
	reported := follow(t, NewLogFile(path, time.UTC))
	f := next(t, reported, kubefact.Stopping)
	if f.Pod == "web-0" || len(text) < backlog {
		t.Errorf("%s of %d bytes", f.Pod, len(text))
	}
	if d := time.Since(f.Time); d < 0 || d > time.Minute {
		t.Errorf("%v ago", d)
	}
}
