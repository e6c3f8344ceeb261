// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

const (
	// logEvery is how often a log file is looked at while something happens,
	// logRest how often where nothing has for logBusy. Polling sees every kind of
	// rotation, on every file system, and costs a read that returns nothing.
	logEvery = 200 * time.Millisecond
	logRest  = time.Second
	logBusy  = 3 * time.Second
	logSoon  = 50 * time.Millisecond
	// backlog is how much of a log is read back at the start: a container may
	// be in its grace period.
	backlog = 256 << 10
)

// LogFile follows a kubelet's log that is a file, through its rotation: the
// file renamed or replaced, or copied and truncated.
type LogFile struct {
	state
	path   string
	parser LogParser
	lines  lines

	file   *os.File
	offset int64
	nudge  chan struct{}
	busy   time.Time // when something happened last
}

// NewLogFile makes a source of the file at path; zone is where kubelet's clock
// is set to, nil if that is not known.
func NewLogFile(path string, zone *time.Location) *LogFile {
	return &LogFile{path: path, nudge: make(chan struct{}, 1), state: state{source: kubefact.SourceKubeletLog}, parser: LogParser{Zone: zone}}
}

// Name implements [Source].
func (l *LogFile) Name() string { return kubefact.SourceKubeletLog }

// Run implements [Source].
func (l *LogFile) Run(ctx context.Context, emit func(kubefact.Fact)) {
	defer func() { l.close() }()
	first := true
	for {
		from := l.offset
		if err := l.poll(first, emit); err != nil {
			l.blind(err, emit)
		} else {
			l.seeing(emit)
		}
		if first || l.offset != from {
			l.busy = time.Now()
		}
		first = false
		select {
		case <-ctx.Done():
			return
		case <-l.nudge:
			l.busy = time.Now()
			sleep(ctx, logSoon) // the more happens, the less often it is looked at
		case <-time.After(l.pause()):
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (l *LogFile) pause() time.Duration {
	if time.Since(l.busy) < logBusy {
		return logEvery
	}
	return logRest
}

// look: what ends a container is in the log as well.
func (l *LogFile) look(happened) {
	select {
	case l.nudge <- struct{}{}:
	default:
	}
}

// poll reads what is new. What is there at the start is old.
func (l *LogFile) poll(first bool, emit func(kubefact.Fact)) error {
	if l.file == nil {
		if err := l.open(first); err != nil {
			return err
		}
	}
	l.parser.Live = !first
	if err := l.drain(emit); err != nil {
		return err
	}
	l.parser.Live = true
	return l.rotated(emit)
}

func (l *LogFile) open(first bool) error {
	file, err := os.Open(l.path)
	if err != nil {
		return fmt.Errorf("kubelet log: %w", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a regular file (--kubelet-log journal reads the journal)")
	}
	if err != nil {
		_ = file.Close()
		return fmt.Errorf("kubelet log %s: %w", l.path, err)
	}
	l.file, l.offset = file, 0
	l.lines.reset()
	l.parser.said = false // how much this kubelet says is to be seen anew
	if first && info.Size() > backlog {
		l.offset = info.Size() - backlog
		l.lines.skip = true // the rest of a line
	}
	return nil
}

// drain reads to the end of the file.
func (l *LogFile) drain(emit func(kubefact.Fact)) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := l.file.ReadAt(buf, l.offset)
		l.offset += int64(n)
		l.lines.add(buf[:n], func(line string) { tellAll(l.parser.Line(line, time.Now()), emit) })
		if err != nil && !errors.Is(err, io.EOF) {
			l.close()
			return fmt.Errorf("read the kubelet log: %w", err)
		}
		if n < len(buf) {
			if n == 0 && l.parser.Pending() {
				tellAll(l.parser.Flush(), emit)
			}
			return nil
		}
	}
}

// rotated looks whether the name stands for another file now, or the file has
// been cut.
func (l *LogFile) rotated(emit func(kubefact.Fact)) error {
	now, err := os.Stat(l.path)
	if err != nil {
		return nil // between a rename and the new file: this one may be written to still
	}
	open, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("kubelet log: %w", err)
	}
	if os.SameFile(now, open) {
		if open.Size() < l.offset {
			l.offset = 0
			l.lines.reset()
		}
		return nil
	}
	if err := l.drain(emit); err != nil { // what came since
		return err
	}
	l.close()
	return l.open(false)
}

func (l *LogFile) close() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

func tellAll(facts []kubefact.Fact, emit func(kubefact.Fact)) {
	for _, f := range facts {
		emit(f)
	}
}
