// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Connected is the status of a source that answers.
const Connected = "connected"

const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// sourceState is a source with what came of asking it last. The directory's
// lock guards it.
type sourceState struct {
	Source
	status string
	// failed is set from the first failure to the next success, so that a
	// vanished runtime is logged once.
	failed bool
	// answered is set from the first success on.
	answered bool
	// failures are all of them, but for those of a source that was never there.
	failures uint64
	// pause grows with each failure in a row; until retry the source is left
	// out of single questions.
	pause time.Duration
	retry time.Time
}

// ready reports whether the source is worth a question now.
func (d *Directory) ready(source *sourceState) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !source.failed || !d.now().Before(source.retry)
}

// report notes how a source answered.
func (d *Directory) report(source *sourceState, err error) {
	if errors.Is(err, context.Canceled) {
		return // says something about who asked
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		if source.failed {
			d.log.Info("container source connected", "source", source.Name())
		}
		source.status, source.failed, source.answered, source.pause = Connected, false, true, 0
		return
	}
	never := errors.Is(err, ErrAbsent) && !source.answered
	if !never {
		source.failures++
	}
	if !source.failed {
		level := d.log.Warn
		if never {
			level = d.log.Debug // most hosts lack most sources
		}
		level("container source does not answer", "source", source.Name(), "error", err)
	}
	source.status, source.failed = oneLine{err}.Error(), true
	source.pause = min(max(2*source.pause, firstRetry), lastRetry)
	source.retry = d.now().Add(source.pause)
}

// oneLine is an error that keeps to one line, as users are promised.
type oneLine struct{ error }

func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }
func (e oneLine) Unwrap() error { return e.error }

// Sources gives each source's status by its name: [Connected] or the reason
// why it is not.
func (d *Directory) Sources() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	statuses := make(map[string]string, len(d.sources))
	for _, source := range d.sources {
		statuses[source.Name()] = source.status
	}
	return statuses
}

// Failures counts, by source, the questions that were not answered.
func (d *Directory) Failures() map[string]uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	failures := make(map[string]uint64, len(d.sources))
	for _, source := range d.sources {
		failures[source.Name()] = source.failures
	}
	return failures
}
