// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"time"

	"github.com/sigtrace/sigtrace/internal/fence"
)

// nameQueue asks for containers' names beside the stream, each path once in a
// while, so that an event waits for its name but not for a runtime that hangs.
type nameQueue struct {
	fetch    func(ctx context.Context, path string)
	answered chan string
	asked    map[string]ask
	fence    *fence.Fence
}

type ask struct {
	at   time.Time
	open bool
}

const (
	// nameWait is how long an event waits for its container's name.
	nameWait = 400 * time.Millisecond
	// askAgain is how long a path that got no name is left alone; the directory
	// does not ask the runtimes more often either.
	askAgain = time.Second
	askedMax = 4096
)

func newNaming(fetch func(context.Context, string), f *fence.Fence) nameQueue {
	return nameQueue{fetch: fetch, fence: f, answered: make(chan string, 64), asked: map[string]ask{}}
}

// ask starts looking a path up; false if there is nobody to ask or it has just
// been asked for in vain.
func (n *nameQueue) ask(ctx context.Context, path string) bool {
	if n.fetch == nil {
		return false
	}
	n.settle()
	if a, ok := n.asked[path]; ok && time.Since(a.at) < askAgain {
		return a.open
	}
	if len(n.asked) >= askedMax {
		n.asked = map[string]ask{}
	}
	n.asked[path] = ask{time.Now(), true}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, nameWait)
		defer cancel()
		n.fence.Run(func() string { return "the name of " + path }, func() { n.fetch(ctx, path) })
		n.answered <- path
	}()
	return true
}

func (n *nameQueue) settle() {
	for {
		select {
		case path := <-n.answered:
			n.done(path)
		default:
			return
		}
	}
}

func (n *nameQueue) done(path string) {
	if a, ok := n.asked[path]; ok {
		a.open = false
		n.asked[path] = a
	}
}

// open answers whether any of the paths is still being looked up.
func (n *nameQueue) open(paths []string) bool {
	for _, path := range paths {
		if n.asked[path].open {
			return true
		}
	}
	return false
}
