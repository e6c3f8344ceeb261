// SPDX-License-Identifier: Apache-2.0

package kmsg

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Past is the kernel log's memory: the last lines that the kernel keeps
// (CONFIG_LOG_BUF_SHIFT) until it boots again. Opening it may take CAP_SYSLOG,
// reading does not.
type Past struct{ fd int }

// OpenPast opens the log at its oldest line.
func OpenPast(path string) (*Past, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the kernel log %s: %w", path, err)
	}
	return &Past{fd}, nil
}

// Close lets go of a log that is not read.
func (past *Past) Close() error { return unix.Close(past.fd) }

// OOMs returns the OOM kills that the log still shows, from a time on, and closes
// it.
func (past *Past) OOMs(since time.Time) ([]event.KernelOOM, error) {
	fd := past.fd
	defer unix.Close(fd)
	booted := bootTime()
	var ooms []event.KernelOOM
	var p Parser
	buf := make([]byte, recordMax)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINTR):
			continue // overwritten meanwhile
		case errors.Is(err, unix.EAGAIN), err == nil && n == 0, errors.Is(err, io.EOF):
			return ooms, nil
		case err != nil:
			return ooms, fmt.Errorf("read the kernel log: %w", err)
		}
		record := string(buf[:n])
		line, own := text(record)
		if !own {
			continue
		}
		if oom, done := p.Line(line); done {
			at, known := stamp(record)
			oom.SinceBoot = at
			if oom.Time = booted.Add(at); known && !oom.Time.Before(since) {
				ooms = append(ooms, oom)
			}
		}
	}
}

// stamp is a record's time since boot: its third field, in microseconds
// (Documentation/ABI/testing/dev-kmsg).
func stamp(record string) (time.Duration, bool) {
	prefix, _, _ := strings.Cut(record, ";")
	fields := strings.SplitN(prefix, ",", 4)
	if len(fields) < 3 {
		return 0, false
	}
	us, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || us < 0 || us > int64(1<<62)/1000 {
		return 0, false
	}
	return time.Duration(us) * time.Microsecond, true
}

// bootTime is the wall time at which the clock of the log's lines was zero. The
// log goes by the scheduler's clock, which stands still in a suspend as
// CLOCK_MONOTONIC does.
func bootTime() time.Time {
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &up) != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(up.Nano()))
}
