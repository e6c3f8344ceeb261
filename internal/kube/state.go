// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strings"
	"sync"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

const notAsked = event.SourceNotAsked

// state is what a source says of itself; it shows changes as facts.
type state struct {
	source   string
	complete bool // its silence shows something

	mu       sync.Mutex
	text     string
	sees     bool
	failures uint64
}

// Failures counts the attempts to ask the source that failed.
func (s *state) Failures() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failures
}

// State is "connected" or why not.
func (s *state) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text == "" {
		return notAsked
	}
	return s.text
}

// seeing notes that the source sees from now on.
func (s *state) seeing(emit func(kubefact.Fact)) {
	s.mu.Lock()
	was := s.sees
	s.text, s.sees = Connected, true
	s.mu.Unlock()
	if !was {
		emit(kubefact.Fact{Time: time.Now(), Source: s.source, Kind: kubefact.Available, Complete: s.complete})
	}
}

// unavailable notes why the source does not see.
func (s *state) blind(err error, emit func(kubefact.Fact)) {
	text := strings.Join(strings.Fields(err.Error()), " ")
	s.mu.Lock()
	changed := s.text == "" || s.sees
	s.text, s.sees = text, false
	s.failures++
	s.mu.Unlock()
	if changed {
		emit(kubefact.Fact{Time: time.Now(), Source: s.source, Kind: kubefact.Unavailable, Text: bounded(text)})
	}
}
