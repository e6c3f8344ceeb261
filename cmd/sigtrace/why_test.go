// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // wherever the test runs
)

const deathLine = `{"schema":"sigtrace/v1","type":"death","time":"2026-11-25T12:00:00Z","boottime_ns":1,"node":"n1","id":"0123456789abcdef","revision":1,` +
	`"process":{"pid":77,"comm":"app","args":["app","--token=hunter2"],"pod":{"namespace":"shop","name":"web-0","uid":"u"},"container":{"id":"0123456789ab","name":"app"}},` +
	`"exit":{"code":137,"signal":"SIGKILL"},"cause":"cgroup_oom","confidence":"proven","summary":"container app of shop/web-0 hit its limit.","evidence":[],"events_lost":0}` + "\n"

const startLine = `{"schema":"sigtrace/v1","type":"status","time":"2026-11-25T12:30:00Z","boottime_ns":2,"node":"n1","version":"1","state":"started",` +
	`"away":{"since":"2026-11-25T12:10:00Z","until":"2026-11-25T12:30:00Z","stopped":false,"rebooted":false},"hooks":{},"cgroup_mode":"v2","kernel":"6.1"}` + "\n"

func fromNode(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "events.jsonl"), []byte(deathLine+startLine), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func why(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, errs bytes.Buffer
	err := run(t.Context(), append([]string{"why"}, args...), &out, &errs)
	return out.String(), err
}

func TestWhyOnFilesOfAnotherNode(t *testing.T) {
	out, err := why(t, "shop/web-0", "--full", "--log-dir", fromNode(t), "--utc")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"container app of shop/web-0 hit its limit.", "cause         cgroup_oom (proven)", "--token=***",
		"gaps in the files", "no agent was running on n1 from 2026-11-25 12:10:00 UTC to 2026-11-25 12:30:00 UTC (20 min): it had been killed",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in\n%s", part, out)
		}
	}
}

func TestWhyAsJSON(t *testing.T) {
	out, err := why(t, "-o", "json", "--log-dir", fromNode(t))
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for line := range strings.Lines(out) {
		var e struct{ Schema, Type string }
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Schema != "sigtrace/v1" {
			t.Errorf("%v: %s", err, line)
		}
		types = append(types, e.Type)
	}
	if strings.Join(types, " ") != "death gap gap" {
		t.Errorf("got %v", types)
	}
}

func TestWhySaysThatThereIsNothing(t *testing.T) {
	_, err := why(t, "pod/web-1", "--log-dir", fromNode(t), "--utc")
	if err == nil || exitCode(err, new(bytes.Buffer)) != exitFailed ||
		!strings.Contains(err.Error(), "no death of pod/web-1 recorded on n1 between 2026-11-25 12:00:00 UTC and ") {
		t.Errorf("got %v", err)
	}
}

func TestWhyRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"a", "b"}, {"--since", "soon"}, {"--cause", "bad_luck"}, {"-o", "xml"}, {"--last", "-1"},
		{"--since", "1h", "--until", "2h"}, {"/x"}, {"0"},
	} {
		_, err := why(t, append(args, "--log-dir", t.TempDir())...)
		if usage := (usageError{}); !errors.As(err, &usage) {
			t.Errorf("%v: got %v", args, err)
		}
	}
}

// On the days when clocks are changed, 14:00 is what the clock on the wall says.
func TestParseTimeAcrossAChangeOfClocks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []int{25, 26} { // October 2026: the change, and a day like others
		now := time.Date(2026, 10, day, 20, 0, 0, 0, berlin)
		if got, err := parseTime("14:00", now); err != nil || got.Hour() != 14 || got.Day() != day {
			t.Errorf("on the %dth: %v, %v", day, got, err)
		}
	}
}

func TestParseTime(t *testing.T) {
	zone := time.FixedZone("X", 3600)
	now := time.Date(2026, 11, 25, 15, 30, 0, 0, zone)
	for text, want := range map[string]string{
		"2h":                   "2026-11-25T13:30:00+01:00",
		"90m ago":              "2026-11-25T14:00:00+01:00",
		"3d":                   "2026-11-22T15:30:00+01:00",
		"now":                  "2026-11-25T15:30:00+01:00",
		"today":                "2026-11-25T00:00:00+01:00",
		"yesterday":            "2026-11-24T00:00:00+01:00",
		"14:05":                "2026-11-25T14:05:00+01:00",
		"2026-11-24":           "2026-11-24T00:00:00+01:00",
		"2026-11-24 09:00":     "2026-11-24T09:00:00+01:00",
		"2026-11-24T09:00:00Z": "2026-11-24T09:00:00Z",
	} {
		if got, err := parseTime(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v", text, got.Format(time.RFC3339), err)
		}
	}
	for _, bad := range []string{"soon", "-", "d", "25:00", "2026-13-01"} {
		if got, err := parseTime(bad, now); err == nil {
			t.Errorf("%s is %v", bad, got)
		}
	}
}
