// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	// askTimeout bounds one source's answer about one container; runtimes
	// answer in milliseconds or hang.
	askTimeout = time.Second
	// askAgain is how long an answer that left something open holds.
	askAgain = time.Second
)

// Fetch says what [Directory.Cached] shows, and asks the sources first if the
// container's name or its init's pid is not known yet. Concurrent calls about
// the same container share one round of questions. It returns what is known
// when ctx is done; a source that hangs is given up after a second.
func (d *Directory) Fetch(ctx context.Context, path string) (Info, bool) {
	return d.fetch(ctx, ParsePath(path), path)
}

// Inspect is [Directory.Fetch] for a container id of 64 hex digits instead of
// a path: it fills in the pid that lists do not give.
func (d *Directory) Inspect(ctx context.Context, id string) (Info, bool) {
	if !isID(id) {
		return Info{}, false
	}
	return d.fetch(ctx, Ref{ID: id}, "")
}

func (d *Directory) fetch(ctx context.Context, ref Ref, path string) (Info, bool) {
	lately := d.askedLately(ref) // before cached, which then sees the answer
	info, ok := d.cached(ref, path)
	if ok && !info.Wanting() || !ref.askable() || lately {
		return info, ok
	}
	d.ask(ctx, ref)
	return d.cached(ref, path)
}

// Wanting reports whether another question may bring something to light.
func (i Info) Wanting() bool {
	if i.ID == "" {
		return !podNamed(i.Pod)
	}
	if i.Runtime == RuntimeLXC || i.Runtime == RuntimeNspawn {
		return false
	}
	return i.Partial || i.PID == 0 && i.State != StateExited
}

// ask puts the question to the sources, once for all who ask at a time.
func (d *Directory) ask(ctx context.Context, ref Ref) {
	done := d.flight.DoChan(ref.key(), func() (any, error) {
		if !d.askedLately(ref) { // by a round that ended just before this one
			// The answer is for everybody: one caller's end must not be theirs.
			d.askAll(context.WithoutCancel(ctx), ref)
		}
		return nil, nil
	})
	select {
	case <-ctx.Done():
	case <-done:
	}
}

// key is the same for all paths of a container or pod.
func (r Ref) key() string {
	switch {
	case isID(r.ID):
		return r.ID
	case r.ID == "":
		return "pod " + r.PodUID
	}
	return r.Path
}

func (d *Directory) askAll(ctx context.Context, ref Ref) {
	var result Info
	var reported uint64
	for i, source := range d.sources {
		if !d.ready(source) {
			continue
		}
		info, ok, err := inspect(ctx, source, ref)
		d.report(source, err)
		if err != nil || !ok {
			continue
		}
		if info.ID != "" {
			reported |= 1 << i
		}
		if result = result.fill(info); result.complete() {
			break
		}
	}
	if ref.PodUID != "" {
		result = result.fill(Info{Pod: &event.Pod{UID: ref.PodUID}})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.store.put(result, reported, d.now())
	d.asked.put(ref.key(), d.now())
}

func inspect(ctx context.Context, source Source, ref Ref) (Info, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return source.Inspect(ctx, ref)
}

// askedLately reports whether the sources have just said all they know.
func (d *Directory) askedLately(ref Ref) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.asked.get(ref.key())
	return ok && d.now().Sub(at) < askAgain
}
