// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// listTimeout bounds one source's list.
const listTimeout = 5 * time.Second

// Refresh lists what all sources know and notes what is gone. The error joins
// those of the sources that are there and failed; what the others reported has
// been taken in all the same.
func (d *Directory) Refresh(ctx context.Context) error {
	started := d.now()
	lists := make([][]Info, len(d.sources))
	errs := make([]error, len(d.sources))
	var wait sync.WaitGroup
	for i, source := range d.sources {
		wait.Go(func() { lists[i], errs[i] = listFrom(ctx, source) })
	}
	wait.Wait()
	var failed []error
	for i, source := range d.sources {
		d.report(source, errs[i])
		if errs[i] != nil && !errors.Is(errs[i], ErrAbsent) {
			failed = append(failed, fmt.Errorf("list containers from %s: %w", source.Name(), errs[i]))
		}
	}
	d.takeIn(lists, errs, started)
	return errors.Join(failed...)
}

func listFrom(ctx context.Context, source Source) ([]Info, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return source.List(ctx)
}

// takeIn merges the lists, the earlier source first, and forgets what a source
// that answered does not list any more. One that failed, or whose runtime is
// just restarting, may still know what it knew.
func (d *Directory) takeIn(lists [][]Info, errs []error, started time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	merged := make(map[string]Info)
	reported := make(map[string]uint64)
	for i, infos := range lists {
		for _, info := range infos {
			if info.ID == "" {
				d.store.putPod(info.Pod)
				continue
			}
			key := keyOf(info)
			merged[key] = merged[key].fill(info)
			reported[key] |= 1 << i
		}
	}
	for key, info := range merged {
		d.store.put(info, reported[key], now)
	}
	for i, err := range errs {
		if err != nil {
			continue
		}
		d.store.forget(func(key string) bool { return reported[key]&(1<<i) != 0 }, i, started, now)
	}
	d.store.expire(now)
}

// inspectNew asks about running containers that have only been listed: lists
// show no stop signal, and when the signal comes it is late to ask. asked holds
// those of earlier rounds.
func (d *Directory) inspectNew(ctx context.Context, asked *lru[struct{}]) {
	for _, info := range d.Containers() {
		if ctx.Err() != nil {
			return
		}
		if _, before := asked.get(info.ID); before || !isID(info.ID) || info.Sandbox || info.StopSignal != "" || info.State != StateRunning {
			continue
		}
		asked.put(info.ID, struct{}{})
		d.ask(ctx, Ref{ID: info.ID, Runtime: info.Runtime})
	}
}
