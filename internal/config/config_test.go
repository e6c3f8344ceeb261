// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

type values struct {
	Dir   string
	Files int
	Wait  time.Duration
	On    bool
	Types []string
	File  string
}

func flags(t *testing.T, args ...string) (*pflag.FlagSet, *values) {
	t.Helper()
	v := &values{}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	fs.StringVar(&v.Dir, "log-dir", "/default", "")
	fs.IntVar(&v.Files, "log-max-files", 5, "")
	fs.DurationVar(&v.Wait, "wait", time.Second, "")
	fs.BoolVar(&v.On, "on", true, "")
	fs.StringSliceVar(&v.Types, "types", []string{"x"}, "")
	fs.StringVar(&v.File, FileFlag, "", "")
	fs.Bool("secret-hook", false, "")
	fs.Bool("once", false, "")
	CommandLineOnly(fs, "once")
	_ = fs.MarkHidden("secret-hook")
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs, v
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsThenEnvironmentThenFile(t *testing.T) {
	path := file(t, "# of the agent\nlog-dir: /file\nlog-max-files: 3\nwait: 1m\non: false\ntypes: [a, b]\n")
	fs, v := flags(t, "--log-dir", "/flag", "--config", path)
	given := Given(fs)
	if err := Apply(fs, given, []string{"SIGTRACE_LOG_DIR=/env", "SIGTRACE_LOG_MAX_FILES=4", "PATH=/bin"}); err != nil {
		t.Fatal(err)
	}
	want := &values{Dir: "/flag", Files: 4, Wait: time.Minute, On: false, Types: []string{"a", "b"}, File: path}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
	// What the command line gave goes over to a set that begins anew.
	again, w := flags(t)
	if err := Copy(again, fs, given); err != nil || w.Dir != "/flag" || w.File != path || w.Files != 5 {
		t.Errorf("%v, %+v", err, w)
	}
}

func TestEnvironmentNamesTheFileAndLists(t *testing.T) {
	fs, v := flags(t)
	if err := Apply(fs, Given(fs), []string{"SIGTRACE_CONFIG=" + file(t, "log-max-files: 7"), "SIGTRACE_TYPES=a, b,c"}); err != nil {
		t.Fatal(err)
	}
	if v.Files != 7 || !cmp.Equal(v.Types, []string{"a", "b", "c"}) {
		t.Errorf("%+v", v)
	}
}

func TestMistakesNameKeyAndPlace(t *testing.T) {
	for text, says := range map[string][]string{
		"log-dri: /x":                      {":1:", `"log-dri"`, `did you mean "log-dir"`},
		"\nlog_dir: /x":                    {":2:", `did you mean "log-dir"`},
		"colour: red":                      {":1:", `"colour"`, "--help"},
		"secret-hook: true":                {"unknown key"},
		"config: other.yaml":               {"unknown key"},
		"once: true":                       {"unknown key"},
		"on: true\nlog-max-files: many":    {":2: log-max-files", `"many" is not a whole number`},
		"wait: soon":                       {":1: wait", "not a duration"},
		"on: perhaps":                      {":1: on", "neither true nor false"},
		"on: true\nwait: 1s\non: false":    {":3:", "set twice"},
		"log-dir:":                         {":1: log-dir", "no value"},
		"log-dir: {a: b}":                  {":1: log-dir"},
		"log-dir: [a, b]":                  {":1: log-dir", "one value"},
		"types: [[a]]":                     {":1: types"},
		"- log-dir":                        {":1:"},
		"log-dir: \"unclosed\nmore: x\n\t": {"agent.yaml"},
	} {
		fs, _ := flags(t, "--config", file(t, text))
		err := Apply(fs, Given(fs), nil)
		for _, part := range says {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v, without %q", text, err, part)
			}
		}
	}
	fs, _ := flags(t)
	err := Apply(fs, Given(fs), []string{"SIGTRACE_LOG_MAX_FILES=x"})
	if err == nil || !strings.Contains(err.Error(), "SIGTRACE_LOG_MAX_FILES") {
		t.Errorf("got %v", err)
	}
	fs, _ = flags(t, "--config", "/nowhere/agent.yaml")
	if err := Apply(fs, Given(fs), nil); err == nil || !strings.Contains(err.Error(), "/nowhere/agent.yaml") {
		t.Errorf("got %v", err)
	}
}

func TestEmptyFilesAreFine(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "{}"} {
		fs, _ := flags(t, "--config", file(t, text))
		if err := Apply(fs, Given(fs), nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestUnknownVariables(t *testing.T) {
	fs, _ := flags(t)
	got := Unknown(fs, []string{"SIGTRACE_LOG_DIR=x", "SIGTRACE_LOGDIR=x", "SIGTRACE_SERVICE_HOST=1", "SIGTRACE_PORT_9090_TCP=1", "HOME=/"})
	if diff := cmp.Diff([]string{"SIGTRACE_LOGDIR"}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("log-dir: /x\ntypes: [a]\n")
	f.Add("a: &x [*x]")
	shipped, err := os.ReadFile("../../deploy/systemd/agent.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(shipped))
	known := []string{"log-dir", "types", "log-max-size", "log-max-files", "deaths-max", "kube-events", "mask-args"}
	f.Fuzz(func(t *testing.T, text string) {
		settings, err := parse("f", []byte(text), known)
		if err == nil {
			for name := range settings {
				if !slices.Contains(known, name) {
					t.Errorf("%q gives %q", text, name)
				}
			}
			fuzzing.Outcome(f.Name(), settings)
		}
	})
}
