// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

const (
	// statusFirst and statusFor are how soon a runtime is asked for the status of
	// a container that has ended, and for how long: it learns of it itself.
	statusFirst = 20 * time.Millisecond
	statusFor   = 3 * time.Second
	// endsMax bounds the containers that are asked for at a time, and those that wait
	// for that: as many as a node may have pods, and more.
	endsMax = 256
)

// Ender says how a container has ended, as its runtime reports it.
type Ender interface {
	Ended(ctx context.Context, id string) (container.End, bool, error)
}

// Statuses says how containers have ended in the words that Kubernetes gets
// from the runtime.
type Statuses struct {
	state
	runtime Ender
	ends    chan *event.Process
}

// NewStatuses makes a source of the statuses that a runtime reports.
func NewStatuses(runtime Ender) *Statuses {
	return &Statuses{state: state{source: kubefact.SourceCRI}, runtime: runtime, ends: make(chan *event.Process, endsMax)}
}

// Name implements [Source].
func (s *Statuses) Name() string { return kubefact.SourceCRI }

// Run implements [Source].
func (s *Statuses) Run(ctx context.Context, emit func(kubefact.Fact)) {
	s.try(ctx, emit)
	slots := make(chan struct{}, endsMax)
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-s.ends:
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				s.ask(ctx, p, emit)
			}()
		}
	}
}

// try asks for a container that there is not, to know whether the runtime
// answers.
func (s *Statuses) try(ctx context.Context, emit func(kubefact.Fact)) {
	ctx, cancel := context.WithTimeout(ctx, statusFor)
	defer cancel()
	_, _, err := s.runtime.Ended(ctx, strings.Repeat("0", 64))
	s.note(err, emit)
}

func (s *Statuses) note(err error, emit func(kubefact.Fact)) {
	switch {
	case err == nil:
		s.seeing(emit)
	case !errors.Is(err, context.Canceled):
		s.blind(err, emit)
	}
}

func (s *Statuses) look(at happened) {
	// A sandbox has no status as a container; of one whose name is not known it would
	// be asked in vain as well.
	if !at.ended || at.process.Container.Name == "" || !idForm().MatchString(at.process.Container.ID) {
		return
	}
	select {
	case s.ends <- at.process:
	default: // so many at once: what Kubernetes says of these stays untold
	}
}

func (s *Statuses) ask(ctx context.Context, p *event.Process, emit func(kubefact.Fact)) {
	ctx, cancel := context.WithTimeout(ctx, statusFor)
	defer cancel()
	for pause := statusFirst; ; pause *= 2 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		end, ok, err := s.runtime.Ended(ctx, p.Container.ID)
		if err == nil || !errors.Is(ctx.Err(), context.Canceled) {
			s.note(err, emit) // one that hangs until the time is up does not see
		}
		if ok {
			emit(statusFact(p, end))
			return
		}
		if ctx.Err() != nil {
			return
		}
	}
}

func statusFact(p *event.Process, end container.End) kubefact.Fact {
	return kubefact.Fact{
		Time: end.Time, Read: time.Now(), Source: kubefact.SourceCRI, Kind: kubefact.Terminated,
		Namespace: p.Pod.Namespace, Pod: p.Pod.Name, UID: p.Pod.UID,
		Container: p.Container.Name, ContainerID: p.Container.ID, Reason: end.Reason, ExitCode: &end.ExitCode,
		Text: startMessage(end.Reason, end.Message),
	}
}

// startMessage is why a container could not be started. What others wrote when they
// ended is theirs (their terminationMessagePath), and not needed.
func startMessage(reason, message string) string {
	if !kubefact.IsStartFailure(reason) {
		return ""
	}
	return bounded(message)
}
