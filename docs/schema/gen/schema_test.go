// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sigtrace/sigtrace/docs"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

const committed = "../v1.json"

func made(t *testing.T, closed bool) []byte {
	t.Helper()
	s, err := generate(closed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := text(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compile(t *testing.T, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// schemas are the committed one, and one that refuses what it does not know.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	b, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*jsonschema.Schema{"v1.json": compile(t, b), "closed": compile(t, made(t, true))}
}

func valid(s *jsonschema.Schema, line []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

func TestCommittedIsGenerated(t *testing.T) {
	b, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, made(t, false)) {
		t.Error("docs/schema/v1.json is not what the types and the contract give: make schema")
	}
}

// What sigtrace really writes of every recording is what the schema says, and
// holds no field and no value that the schema does not name.
func TestReplayedEvents(t *testing.T) {
	recordings, err := filepath.Glob("../../../testdata/replay/*.jsonl.gz")
	if err != nil || len(recordings) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	dir, all := t.TempDir(), schemas(t)
	sigtrace := filepath.Join(dir, "sigtrace")
	build := exec.Command("go", "build", "-o", sigtrace, "./cmd/sigtrace")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build sigtrace: %v\n%s", err, out)
	}
	args := []string{"replay", "-o", "json", "--all", "--type", strings.Join(types(), ",")}
	for _, r := range recordings {
		args = append(args, unpacked(t, dir, r))
	}
	out, err := exec.Command(sigtrace, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for line := range bytes.Lines(out) {
		var h event.Header
		if err := json.Unmarshal(line, &h); err != nil {
			t.Fatal(err)
		}
		seen[string(h.Type)]++
		for name, s := range all {
			if err := valid(s, line); err != nil && seen[string(h.Type)] < 20 {
				t.Errorf("%s: %v\n%.400s", name, err, line)
			}
		}
	}
	for _, kind := range []string{"signal", "oom", "exit", "death", "status"} {
		if seen[kind] == 0 {
			t.Errorf("no recording gives an event of type %s", kind)
		}
	}
	t.Log(seen)
}

func types() []string {
	var names []string
	for _, t := range event.Types() {
		names = append(names, string(t))
	}
	return names
}

func unpacked(t *testing.T, dir, recording string) string {
	t.Helper()
	in, err := os.Open(recording)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, strings.TrimSuffix(filepath.Base(recording), ".gz"))
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// An event with every field set, which no recording is, is what the schema says.
func TestFullEvents(t *testing.T) {
	values, err := docs.Values(eventPackage)
	if err != nil {
		t.Fatal(err)
	}
	all := schemas(t)
	for kind, e := range docs.Events() {
		fill(reflect.ValueOf(e).Elem(), values, 4)
		h := e.Common()
		h.Schema, h.Type = event.Schema, kind
		b, err := json.Marshal(safetext.PublicEvent(e, false))
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range all {
			if err := valid(s, b); err != nil {
				t.Errorf("%s: %s: %v\n%s", name, kind, err, b)
			}
		}
	}
}

// fill sets everything, depth pointers deep: a process has ancestors, which have
// none, as in the output.
func fill(v reflect.Value, values map[string][]string, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth == 0 {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), values, depth-1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), values, depth)
		if v.Index(0).IsZero() {
			v.SetZero()
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("a"), reflect.ValueOf("b"))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1e9, 1).UTC()))
			return
		}
		if v.Type() == reflect.TypeFor[event.Process]() {
			depth = min(depth, 1)
		}
		for i := range v.NumField() {
			fill(v.Field(i), values, depth)
		}
	case reflect.String:
		v.SetString("x")
		if known := values[v.Type().Name()]; len(known) > 0 && v.Type().Name() != "string" {
			v.SetString(known[0])
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	}
}

// What may come later is accepted, what can never be is not.
func TestOpenAndStrict(t *testing.T) {
	const head = `{"schema":"sigtrace/v1","time":"2026-11-28T12:00:00.5Z","boottime_ns":1,`
	signal := head + `"type":"signal","signal":"SIGKILL","signal_number":9,"via":"kill"`
	death := head + `"type":"death","id":"1","revision":1,"exit":{"code":0},"cause":"exited","confidence":"likely","summary":"s","evidence":[],"events_lost":0,`
	s := schemas(t)["v1.json"]
	for _, c := range []struct {
		line string
		good bool
	}{
		{signal + `}`, true},
		{signal + `,"result":"of_tomorrow","new":{"x":1}}`, true},
		{head + `"type":"of_tomorrow","x":1}`, true},
		{death + `"process":{}}`, true}, // nobody knew its pid
		{death + `"process":{"pid":1,"comm":"a"}}`, true},
		{death + `"process":{"pid":"1"}}`, false},
		{death + `"process":{},"actor":{"comm":"a"}}`, false},
		{death + `"process":{},"cause":7}`, false},
		{head + `"type":"signal"}`, false},
		{signal + `,"fatal":"yes"}`, false},
		{strings.Replace(signal, "sigtrace/v1", "sigtrace/v2", 1) + `}`, false},
		{strings.Replace(signal, "2026-11-28T", "yesterday ", 1) + `}`, false},
		{`{}`, false},
	} {
		if err := valid(s, []byte(c.line)); (err == nil) != c.good {
			t.Errorf("want good=%v: %s\n%v", c.good, c.line, err)
		}
	}
}
