// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ids(infos []Info) []string {
	var ids []string
	for _, info := range infos {
		ids = append(ids, info.ID)
	}
	return ids
}

func TestRemovedContainersStayForLateEvents(t *testing.T) {
	source := &fakeSource{name: "a", listed: []Info{{ID: idA, Name: "app"}, {ID: idB, Name: "db"}}}
	d, clock := newTestDirectory(source)
	refresh := func(by time.Duration) {
		t.Helper()
		clock.turn(by)
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	refresh(0)
	if diff := cmp.Diff([]string{idA, idB}, ids(d.Containers())); diff != "" {
		t.Fatalf("Containers (-want +got):\n%s", diff)
	}
	source.set(func(f *fakeSource) { f.listed = f.listed[:1] })
	refresh(time.Second)
	if diff := cmp.Diff([]string{idA}, ids(d.Containers())); diff != "" {
		t.Errorf("Containers after removal (-want +got):\n%s", diff)
	}
	if info, ok := d.Cached("/docker/" + idB); !ok || info.Name != "db" || info.State != StateExited {
		t.Errorf("removed container: %+v, %v", info, ok)
	}
	refresh(keepGone - time.Second)
	if _, ok := d.Cached("/docker/" + idB); !ok {
		t.Error("forgotten too early")
	}
	refresh(time.Second)
	if _, ok := d.Cached("/docker/" + idB); ok {
		t.Error("never forgotten")
	}
}

func TestAFailedSourceTakesNothingAway(t *testing.T) {
	cri := &fakeSource{name: "cri", listed: []Info{{ID: idA, Name: "app"}}}
	files := &fakeSource{name: "files"}
	d, clock := newTestDirectory(cri, files)
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	cri.set(func(f *fakeSource) { f.listed, f.err = nil, errRefused })
	clock.turn(time.Second)
	if err := d.Refresh(t.Context()); !errors.Is(err, errRefused) {
		t.Errorf("Refresh = %v, want it to wrap %v", err, errRefused)
	}
	if diff := cmp.Diff([]string{idA}, ids(d.Containers())); diff != "" {
		t.Errorf("Containers (-want +got):\n%s", diff)
	}
}

func TestAContainerToldDuringARefreshStays(t *testing.T) {
	source := &fakeSource{name: "a", infos: map[string]Info{idA: {ID: idA, Name: "app"}}}
	d, clock := newTestDirectory(source)
	started := clock.now()
	clock.turn(time.Millisecond)
	d.Fetch(t.Context(), testPath)
	d.takeIn([][]Info{nil}, []error{nil}, started)
	if diff := cmp.Diff([]string{idA}, ids(d.Containers())); diff != "" {
		t.Errorf("Containers (-want +got):\n%s", diff)
	}
}

func TestARestartedContainerHasNoOldPID(t *testing.T) {
	s := newStore(10)
	now := time.Unix(1700000000, 0)
	for _, info := range []Info{
		{ID: idA, PID: 5, State: StateRunning}, {ID: idA, State: StateExited}, {ID: idA, State: StateRunning},
	} {
		s.put(info, 1, now)
	}
	if info, _ := s.get(idA); info.PID != 0 || info.State != StateRunning {
		t.Errorf("after the restart: %+v", info)
	}
}

func TestAVanishedSourceIsLoggedOnceAndComesBack(t *testing.T) {
	var log logBuffer
	source := &fakeSource{name: "cri", infos: map[string]Info{idB: {ID: idB, Name: "db", PID: 1}}}
	d, clock := newTestDirectory(source)
	d.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	source.set(func(f *fakeSource) { f.err = errRefused })
	for range 5 {
		d.Fetch(t.Context(), testPath)
		_ = d.Refresh(t.Context())
		clock.turn(time.Minute)
	}
	if n := log.lines("does not answer"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	if diff := cmp.Diff(map[string]string{"cri": errRefused.Error()}, d.Sources()); diff != "" {
		t.Errorf("Sources (-want +got):\n%s", diff)
	}
	source.set(func(f *fakeSource) { f.err = nil })
	if info, ok := d.Fetch(t.Context(), "/docker/"+idB); !ok || info.Name != "db" {
		t.Errorf("Fetch = %+v, %v", info, ok)
	}
	if diff := cmp.Diff(map[string]string{"cri": Connected}, d.Sources()); diff != "" {
		t.Errorf("Sources (-want +got):\n%s", diff)
	}
}

func TestAFailingSourceIsLeftOutForAWhile(t *testing.T) {
	source := &fakeSource{name: "a", err: errRefused}
	d, clock := newTestDirectory(source)
	d.Fetch(t.Context(), "/docker/"+idA)
	d.Fetch(t.Context(), "/docker/"+idB)
	if source.asked() != 1 {
		t.Errorf("asked %d times, want 1", source.asked())
	}
	clock.turn(lastRetry)
	d.Fetch(t.Context(), "/docker/"+idB)
	if source.asked() != 2 {
		t.Errorf("asked %d times, want 2", source.asked())
	}
}

func TestAnAbsentSourceIsNoFailure(t *testing.T) {
	var log logBuffer
	d, _ := newTestDirectory(&fakeSource{name: "docker", err: absent("no Docker socket")})
	d.log = slog.New(slog.NewTextHandler(&log, nil))
	if err := d.Refresh(t.Context()); err != nil {
		t.Errorf("Refresh = %v", err)
	}
	if diff := cmp.Diff(map[string]string{"docker": "no Docker socket: not found on this host"}, d.Sources()); diff != "" {
		t.Errorf("Sources (-want +got):\n%s", diff)
	}
	if log.lines("docker") != 0 {
		t.Errorf("logged: %s", log.text.String())
	}
}

func TestRunLooksUpWhatCachedMissed(t *testing.T) {
	source := &fakeSource{name: "a", infos: map[string]Info{idA: {ID: idA, Name: "app", PID: 1}}}
	d := NewDirectory(slog.New(slog.DiscardHandler), source)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Run(ctx, time.Hour)
	}()
	d.Cached("/docker/" + idA)
	for source.asked() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	if info, ok := d.Cached("/docker/" + idA); !ok || info.Name != "app" {
		t.Errorf("Cached = %+v, %v", info, ok)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
