// SPDX-License-Identifier: Apache-2.0

package kmsg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Log is an open kernel log.
type Log struct{ file *os.File }

// recordMax is the largest record that the kernel hands out
// (PRINTK_MESSAGE_MAX of kernel/printk/internal.h).
const recordMax = 8192

// Open opens the kernel log at its end. Without CAP_SYSLOG it is refused where
// kernel.dmesg_restrict is set.
func Open(path string) (*Log, error) {
	// Non-blocking, so that the runtime's poller waits and Close ends that.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the kernel log %s: %w", path, err)
	}
	if _, err := unix.Seek(fd, 0, io.SeekEnd); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("go to the end of the kernel log %s: %w", path, err)
	}
	return &Log{os.NewFile(uintptr(fd), path)}, nil
}

// Close ends Follow.
func (l *Log) Close() error { return l.file.Close() }

// Follow hands on each OOM kill that the log shows, until ctx ends or the log
// is closed. What the kernel has overwritten before it was read is skipped.
func (l *Log) Follow(ctx context.Context, emit func(event.KernelOOM)) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var p Parser
	buf := make([]byte, recordMax)
	for {
		n, err := l.file.Read(buf) // one record a read
		switch {
		case errors.Is(err, unix.EPIPE):
			continue // overwritten: the next read goes on behind the gap
		case errors.Is(err, os.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("read the kernel log: %w", err)
		}
		line, own := text(string(buf[:n]))
		if !own {
			continue
		}
		if oom, done := p.Line(line); done {
			oom.Time = time.Now()
			emit(oom)
		}
	}
}
