// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bytes"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fuzzing"
	"github.com/sigtrace/sigtrace/internal/output"
)

// written are lines of an agent's file, as it wrote them: what golden recordings
// replay to.
func written(t testing.TB) [][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.SplitAfter(bytes.TrimSpace(text), []byte("\n"))
}

// What an agent reads back at its start of the deaths that are written already.
// Half a line, or another program's, is no death.
func FuzzWritten(f *testing.F) {
	for _, line := range written(f) {
		f.Add(line, uint32(0), uint8(1))
	}
	// The fields that are read, alone: a change elsewhere changes nothing.
	f.Add([]byte(`{"type":"death","time":"2026-11-26T00:02:34Z","id":"9f2a0008-3668-116801772047","process":{"pid":3668,"container":{"id":"50d83cc73f61","init":true}}}`), uint32(0), uint8(1))
	f.Fuzz(func(t *testing.T, line []byte, n uint32, how uint8) {
		id, is := deathID(line)
		if is && id == "" {
			t.Error("a death without an id")
		}
		if w, ok := writtenOf(fuzzing.Alter(line, n, how)); ok {
			fuzzing.Outcome(f.Name(), id, w)
		}
	})
}

// Whatever a line holds, what is taken for an event passes the checks.
func FuzzJournalLine(f *testing.F) {
	for _, line := range written(f) {
		f.Add(line, uint32(0), uint8(1))
	}
	f.Fuzz(func(t *testing.T, line []byte, n uint32, how uint8) {
		e, known, wrong := decode(fuzzing.Alter(line, n, how))
		if known == (e == nil) || known && wrong {
			t.Fatalf("event %v, known %v, wrong %v", e, known, wrong)
		}
		if !known {
			return
		}
		if err := event.CheckDecoded(e); err != nil {
			t.Fatal(err)
		}
		NewRecorder(time.Minute).Record(e)
		moment, _ := output.MomentOf(e)
		fuzzing.Outcome(f.Name(), moment)
	})
}

// Whatever agent.json holds, it is a time when an agent was there, or nothing.
func FuzzPresence(f *testing.F) {
	for _, text := range []string{
		`{"node":"guest","boot_id":"9f2a0008-b78e-4f53-a905-83041c9b2972","version":"0.1.0-dev","started":"2026-11-25T23:59:57.345238656Z","last_seen":"2026-11-26T00:02:31.345238656Z","stopped":true}     ` + "\n",
		`{"node":"n1","started":"2026-11-25T12:00:00Z","last_seen":"2026-11-25T12:00:10Z","stopped":false}` + "\x00\x00\n",
	} {
		f.Add([]byte(text), uint32(0), uint8(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, n uint32, how uint8) {
		p := readPresence(fstest.MapFS{presenceName: {Data: fuzzing.Alter(text, n, how)}})
		if p == nil {
			return
		}
		if p.LastSeen.IsZero() {
			t.Error("an agent that was never seen")
		}
		fuzzing.Outcome(f.Name(), *p)
	})
}
