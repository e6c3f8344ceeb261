// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

type file struct {
	bytes.Buffer
	full bool
}

func (f *file) Write(b []byte) (int, error) {
	if f.full {
		return 0, errors.New("no space left on device")
	}
	return f.Buffer.Write(b)
}

func (*file) Close() error { return nil }

func kill(w *Writer) {
	yes := true
	p := &event.Process{PID: 10, StartBoottimeNS: 1, Comm: "server", Args: []string{"server", "--password=hunter2"}}
	h := event.Header{Schema: event.Schema, Type: event.TypeSignal, BoottimeNS: 1e9}
	w.Signal(&event.Signal{Header: h, Signal: "SIGKILL", SignalNumber: 9, Via: event.ViaKill, Fatal: &yes, Target: p, Sender: p, SignalDetail: event.SignalDetail{Matters: true}})
	w.Exit(&event.Exit{Header: h, Process: p, Exit: event.ExitStatus{Code: 137, Signal: "SIGKILL"}, ExitDetail: event.ExitDetail{SignalNumber: 9}})
}

func TestSecretsStayAtHome(t *testing.T) {
	f := &file{}
	w := New(f, verdict.Options{MaskArgs: true})
	kill(w)
	w.Due(2e9)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(f.String(), "hunter2") {
		t.Error("a secret is in the recording")
	}
}

// A full disk ends the recording, and nothing else.
func TestFullDisk(t *testing.T) {
	f := &file{}
	w := New(f, verdict.Options{})
	w.Due(1)
	f.full = true
	kill(w)
	if due := w.Due(2e9); len(due) != 1 {
		t.Errorf("%d deaths told", len(due))
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("the error is %v", err)
	}
}

func TestReaderRefuses(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "other": `{"a":1}`, "newer": `{"record":"sigtrace-record/v9"}`} {
		if _, err := NewReader(strings.NewReader(text)); !errors.Is(err, ErrNotRecording) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A torn last line is the end; a broken one before it is reported with its number.
func TestTornAndBroken(t *testing.T) {
	head := `{"record":"` + Format + `"}` + "\n"
	torn, err := NewReader(strings.NewReader(head + `{"seen":5}` + "\n" + `{"signal":{"sch`))
	if err != nil {
		t.Fatal(err)
	}
	if _, seen, err := torn.Next(); seen != 5 || err != nil {
		t.Errorf("%d, %v", seen, err)
	}
	if _, _, err := torn.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("torn: %v", err)
	}
	broken, err := NewReader(strings.NewReader(head + "{nonsense\n" + `{"seen":5}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := broken.Next(); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("broken: %v", err)
	}
}
