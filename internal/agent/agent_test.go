// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// A stream that has not moved for ten seconds is not alive; before its first tick it
// is starting, however long that takes.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPulse()
		time.Sleep(time.Hour)
		if err := p.alive(); err != nil {
			t.Errorf("while starting: %v", err)
		}
		if p.isReady() == nil {
			t.Error("ready before everything is attached")
		}
		p.ready.Store(true)
		if err := p.Tick(time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(streamHangs)
		if err := errors.Join(p.alive(), p.isReady()); err != nil {
			t.Errorf("after ten seconds: %v", err)
		}
		time.Sleep(time.Second)
		if p.alive() == nil || p.isReady() == nil {
			t.Error("alive, and the stream has not moved for eleven seconds")
		}
	})
}

// A configuration that is read again sets the level; one with a mistake changes nothing.
func TestReload(t *testing.T) {
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(&text, nil))
	files, err := postmortem.Open(postmortem.Options{Dir: t.TempDir(), Limits: postmortem.Defaults(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	a := &agent{log: log, files: files, c: Config{Level: new(slog.LevelVar)}}
	a.c.Reread = func(*slog.Logger) (Changeable, error) {
		return Changeable{Limits: postmortem.Defaults(), Verbose: true}, nil
	}
	if a.reload(); a.c.Level.Level() != slog.LevelDebug {
		t.Error("--verbose is not taken over")
	}
	a.c.Reread = func(*slog.Logger) (Changeable, error) { return Changeable{}, errors.New("agent.yaml:2: planted") }
	if a.reload(); a.c.Level.Level() != slog.LevelDebug || !strings.Contains(text.String(), "agent.yaml:2: planted") {
		t.Errorf("level %v after a mistake: %s", a.c.Level.Level(), &text)
	}
}

func TestAbsenceSince(t *testing.T) {
	now := time.Now()
	if absenceSince(nil, now) != nil {
		t.Error("away although no agent was there before")
	}
	for boot, rebooted := range map[string]bool{proc.BootID(): false, "another": true} {
		before := &postmortem.Presence{BootID: boot, LastSeen: now.Add(-time.Hour), Stopped: true}
		got := absenceSince(before, now)
		want := event.Away{Since: before.LastSeen, Until: now.UTC(), Stopped: true, Rebooted: rebooted}
		if fmt.Sprint(*got) != fmt.Sprint(want) {
			t.Errorf("%+v, want %+v", *got, want)
		}
	}
}

// Only pins that were there and could be read have seen all of the absence.
func TestMissedByPins(t *testing.T) {
	for state, missed := range map[string]bool{tracer.PinsMade: true, tracer.PinsReplaced: true, tracer.PinsReused: false, tracer.PinsUpgraded: false} {
		if got := missedByPins(tracer.PinReport{State: state}); got != missed {
			t.Errorf("%s: missed %v", state, got)
		}
	}
}
