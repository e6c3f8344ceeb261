// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// keeper keeps deaths as the kernel side does: by key, in bytes.
type keeper struct {
	empty
	deaths map[tracer.KeptKey][]byte
}

func (k *keeper) KeptDeaths() (keys []tracer.KeptKey, err error) {
	for key := range k.deaths {
		keys = append(keys, key)
	}
	return keys, nil
}

func (k *keeper) KeptDeath(key tracer.KeptKey) ([]byte, bool) {
	b, ok := k.deaths[key]
	return b, ok
}

func (k *keeper) NoteAttempt(key tracer.KeptKey, edit func(*wire.Attempts)) error {
	if b, ok := k.deaths[key]; ok {
		return wire.ChangeAttempts(b, edit)
	}
	return nil
}

func (k *keeper) Release(tgid int, start uint64) error {
	delete(k.deaths, tracer.KeptKey{TGID: uint32(tgid), Start: start})
	return nil
}

// sizeofKeptDeath is struct kept_death of bpf/event.h; an exit is kind 6.
const sizeofKeptDeath = 112 + 304 + 8 + 768 + 2488

// keep is a death as the kernel side writes it: killed by SIGKILL.
func (k *keeper) keep(key tracer.KeptKey) {
	b := make([]byte, sizeofKeptDeath)
	b[0] = 6
	binary.LittleEndian.PutUint32(b[4:], 112)
	binary.LittleEndian.PutUint32(b[16:], 9)
	binary.LittleEndian.PutUint64(b[40:], key.Start)
	binary.LittleEndian.PutUint32(b[56:], key.TGID)
	k.deaths[key] = b
}

// agent begins to read what is kept, as a start does.
func (k *keeper) agent(t *testing.T) (*Recovery, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	r := &Recovery{Keeper: k, Log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := r.begin(time.Now()); err != nil {
		t.Fatal(err)
	}
	return r, &log
}

var (
	bad    = tracer.KeptKey{TGID: 7, Start: 70}
	good   = tracer.KeptKey{TGID: 8, Start: 80}
	badOne = &event.Process{PID: 7, StartBoottimeNS: 70}
)

func newKeeper() *keeper {
	k := &keeper{deaths: map[tracer.KeptKey][]byte{}}
	k.keep(bad)
	k.keep(good)
	return k
}

// Agents end while they make a record: the next one makes it plain, the one after
// that lets it go, and the other death is decided as ever.
func TestCrashingDeathIsTriedTwice(t *testing.T) {
	k := newKeeper()
	first, _ := k.agent(t)
	if first.undecided(wire.Key(bad)) != "" || len(first.deaths) != 2 {
		t.Fatal("plain at once")
	}
	first.Begin(badOne, false) // and here it ends
	second, log := k.agent(t)
	if second.undecided(wire.Key(bad)) != event.UndecidedCrash || len(second.deaths) != 2 || !strings.Contains(log.String(), "pid=7") {
		t.Fatalf("the rules run again: %s", log)
	}
	if second.undecided(wire.Key(good)) != "" {
		t.Error("the other death pays for it")
	}
	second.Begin(badOne, true) // and here too
	third, log := k.agent(t)
	if _, there := k.deaths[bad]; there || len(third.deaths) != 1 || third.spent != 1 || !strings.Contains(log.String(), "pid=7") {
		t.Fatalf("it is tried a third time: %s", log)
	}
	exit := &wire.Exit{Boottime: 90, Process: wire.Brief{Key: wire.Key(bad)}}
	if !third.markExit(exit) {
		t.Error("the ring may report it still, and would start it over")
	}
	if third.undecided(wire.Key(good)) != "" {
		t.Error("the other death pays for it")
	}
}

// An agent that is killed at any other moment has decided nothing wrongly: the
// record is made in full again. But one that ends the writer each time is not made
// in full for ever.
func TestMadeRecordsStayFull(t *testing.T) {
	k := newKeeper()
	for n := range 3 {
		r, _ := k.agent(t)
		if r.undecided(wire.Key(bad)) != "" {
			t.Fatalf("plain after %d records that were not written", n)
		}
		r.Begin(badOne, false)
		r.End(badOne, false) // it waits for Kubernetes
		r.Begin(badOne, false)
		r.End(badOne, true)
	}
	r, _ := k.agent(t)
	if r.undecided(wire.Key(bad)) == "" {
		t.Error("full for ever")
	}
	r.Begin(badOne, true)
	if r, _ = k.agent(t); len(r.deaths) != 1 {
		t.Error("kept for ever")
	}
}

// Nothing is noted of what is not kept, nor without pins.
func TestNotesWithoutKeptDeath(t *testing.T) {
	var none *Recovery
	none.Begin(badOne, false)
	none.End(badOne, true)
	k := newKeeper()
	r, log := k.agent(t)
	r.Begin(&event.Process{PID: 99, StartBoottimeNS: 1}, false)
	r.Begin(&event.Process{}, false) // known by its container alone
	if len(k.deaths) != 2 || log.Len() > 0 {
		t.Errorf("%d deaths: %s", len(k.deaths), log)
	}
}
