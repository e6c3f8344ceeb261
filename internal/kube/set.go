// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// factsMax is how many facts may wait for their reader; sources wait beyond.
const factsMax = 256

// Set is the sources of one run.
type Set struct {
	sources []Source
	// notes are the sources that there are none of, with the reason why.
	notes map[string]string
	facts chan *kubefact.Fact
}

// NewSet makes an empty set.
func NewSet() *Set {
	return &Set{notes: map[string]string{}, facts: make(chan *kubefact.Fact, factsMax)}
}

// Add adds a source.
func (s *Set) Add(source Source) { s.sources = append(s.sources, source) }

// Without notes why there is no source of a name.
func (s *Set) Without(name, why string) { s.notes[name] = why }

// Facts is where the sources' facts come; nil where there are no sources.
func (s *Set) Facts() <-chan *kubefact.Fact {
	if len(s.sources) == 0 {
		return nil
	}
	return s.facts
}

// Start has the sources connect and report, until ctx ends.
func (s *Set) Start(ctx context.Context) {
	for _, source := range s.sources {
		go source.Run(ctx, func(f kubefact.Fact) {
			select {
			case s.facts <- &f:
			case <-ctx.Done():
			}
		})
	}
}

// States gives the state of each source by its name.
func (s *Set) States() map[string]string {
	states := map[string]string{}
	for name, why := range s.notes {
		states[name] = why
	}
	for _, source := range s.sources {
		if source.Name() != kubefact.SourceCRI { // the directory of names reports it
			states[source.Name()] = source.State()
		}
	}
	return states
}

// Failures counts, by source, the attempts to ask it that failed.
func (s *Set) Failures() map[string]uint64 {
	failures := map[string]uint64{}
	for _, source := range s.sources {
		failures[source.Name()] += source.Failures()
	}
	return failures
}

// Check runs the sources until each has said whether it sees, or ctx ends.
func (s *Set) Check(ctx context.Context) map[string]string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, source := range s.sources {
		go source.Run(ctx, func(kubefact.Fact) {})
	}
	for s.waiting() && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	return s.States()
}

func (s *Set) waiting() bool {
	for _, source := range s.sources {
		if source.State() == notAsked {
			return true
		}
	}
	return false
}
