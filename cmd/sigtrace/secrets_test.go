// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubeevent"
	"github.com/sigtrace/sigtrace/internal/metrics"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/recording"
)

// planted is what every process of a recording gets as arguments, and secret what
// no output may show of them.
var planted = []any{"-c", "exec app --token S3cretAA && mysql -pS3cretAB", "--password", "S3cretAC", "postgres://u:S3cretAD@h/db"}

// title is what a process adds to its first argument: sentences show that where
// it names another program than the executable.
const title = " --token S3cretAE"

const secret = "S3cret"

// longRecording has every way to die, and takes as long as all others together.
const longRecording = "zoo-6.12"

// withSecrets makes a recording in which every process has secrets in its arguments,
// in a title and in what follows it.
func withSecrets(t *testing.T, name string) string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	in, enc := json.NewDecoder(text), json.NewEncoder(&out)
	in.UseNumber()
	for in.More() {
		var line any
		if err := in.Decode(&line); err != nil {
			t.Fatal(err)
		}
		plant(line)
		if err := enc.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	made := filepath.Join(t.TempDir(), "secrets.jsonl")
	if err := os.WriteFile(made, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return made
}

func plant(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			plant(e)
		}
	case map[string]any:
		if args, ok := v["args"].([]any); ok && len(args) > 0 {
			v["args"] = append([]any{fmt.Sprint(args[0], title)}, append(args[1:], planted...)...)
		}
		for _, e := range v {
			plant(e)
		}
	}
}

// outputs counts in how many recordings each output showed a masked argument: one
// that never does tests nothing.
type outputs map[string]int

func (o outputs) check(t *testing.T, where, text string) {
	t.Helper()
	if strings.Contains(text, "***") {
		o[where]++
	}
	if at := strings.Index(text, secret); at >= 0 {
		t.Errorf("%s shows a secret: …%s…", where, text[max(0, at-120):min(len(text), at+40)])
	}
}

// TestSecretsInNoOutput takes deaths of processes with secrets in their arguments
// through each output there is.
func TestSecretsInNoOutput(t *testing.T) {
	recordings, err := filepath.Glob("../../testdata/replay/*.jsonl.gz")
	if err != nil || len(recordings) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	shown := outputs{}
	for _, name := range recordings {
		if strings.HasPrefix(filepath.Base(name), longRecording) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".jsonl.gz"), func(t *testing.T) {
			recording := withSecrets(t, name)
			shown.checkPrinted(t, recording)
			dir := t.TempDir()
			shown.checkWritten(t, recording, dir)
			for _, args := range [][]string{{"why"}, {"why", "-o", "json"}, {"report"}} {
				shown.check(t, strings.Join(args, " "), runs(t, append(args, "--log-dir", dir)...))
			}
		})
	}
	for _, where := range []string{"table", "wide", "json", "jsonpretty", "stdout", "a recording", "events.jsonl", "a death's file", "Events", "why", "why -o json", "report"} {
		if shown[where] == 0 {
			t.Errorf("%s never showed an argument: nothing is tested there", where)
		}
	}
}

// checkPrinted: replay prints what watch prints.
func (o outputs) checkPrinted(t *testing.T, recording string) {
	t.Helper()
	for _, format := range []string{"table", "wide", "json", "jsonpretty", "stap"} {
		for _, all := range []string{"--all=false", "--all"} {
			o.check(t, format, runs(t, "replay", "-o", format, "--type", "signal,oom,exit,death,stuck", all, recording))
		}
	}
	if text := runs(t, "replay", "-o", "json", "--mask-args=false", recording); !strings.Contains(text, secret) {
		t.Error("--mask-args=false hides them")
	}
}

// checkWritten: the postmortem files, Kubernetes Events, metrics and a recording.
func (o outputs) checkWritten(t *testing.T, from, dir string) {
	t.Helper()
	file, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := recording.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	options := r.Options()
	options.MaskArgs = true
	again := &recorded{}
	engine := recording.New(again, options)
	r.HandLog(engine.KernelLog)
	r.HandFacts(engine.Fact)
	quiet := slog.New(slog.DiscardHandler)
	files, err := postmortem.Open(postmortem.Options{Dir: dir, Limits: postmortem.Defaults(), MaskArgs: true, Flight: time.Hour, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	api, counted := &eventAPI{}, metrics.New(metrics.Options{})
	var stdout bytes.Buffer
	all := output.Tee(files, kubeevent.New(api, kubeevent.Options{Node: "node-1", Log: quiet}), counted,
		output.NewStream(&stdout, output.Options{MaskArgs: true}))
	types := map[event.Type]bool{event.TypeSignal: true, event.TypeOOM: true, event.TypeDeath: true, event.TypeStuck: true}
	err = pipeline.Replay(t.Context(), &playClock{Recording: r}, all, pipeline.Options{Filter: pipeline.Filter{Types: types}, Verdicts: engine})
	if err := errors.Join(err, all.Close(), engine.Close()); err != nil {
		t.Fatal(err)
	}
	served := httptest.NewRecorder()
	counted.Handler(metrics.Health{}).ServeHTTP(served, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	o.check(t, "metrics", served.Body.String())
	o.check(t, "stdout", stdout.String())
	o.check(t, "a recording", again.String())
	o.check(t, "Events", api.text())
	o.checkFiles(t, dir)
}

func (o outputs) checkFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		where := filepath.Base(path)
		if strings.HasSuffix(path, ".log") {
			where = "a death's file"
		}
		b, err := os.ReadFile(path)
		o.check(t, where, string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// recorded is a recording in memory.
type recorded struct{ bytes.Buffer }

func (*recorded) Close() error { return nil }

// eventAPI keeps the Events that are created.
type eventAPI struct {
	mu  sync.Mutex
	all []any
}

func (a *eventAPI) Create(_ context.Context, e *corev1.Event) (*corev1.Event, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, e)
	return e, nil
}

func (a *eventAPI) Patch(_ context.Context, _, _ string, patch []byte) (*corev1.Event, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, string(patch))
	return &corev1.Event{}, nil
}

func (a *eventAPI) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, _ := json.Marshal(a.all)
	return string(b)
}

// runs runs a command and returns what it prints.
func runs(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out.String()
}
