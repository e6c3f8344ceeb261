// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"fmt"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kmsg"
)

// KernelLog is the name of the kernel's log among the sources.
const KernelLog = "kernel log"

const defaultKernelLog = "/dev/kmsg"

// KernelLogPath is the file to read; empty where the log is left out.
func (c Sources) KernelLogPath() string {
	switch c.KernelLog {
	case Off:
		return ""
	case "":
		return defaultKernelLog
	}
	return c.KernelLog
}

// openKernelLog opens the second source on OOM kills. Where the default is not
// there, why stands among the sources; one that was asked for must be there.
func (s *Session) openKernelLog(c Sources) error {
	path := c.KernelLogPath()
	if path == "" {
		s.notes[KernelLog] = Off
		return nil
	}
	log, err := kmsg.Open(path)
	if err != nil {
		s.logFailures.Add(1)
		s.notes[KernelLog] = err.Error()
		if c.KernelLog != "" {
			return fmt.Errorf("--kernel-log: %w (--kernel-log off disables it)", err)
		}
		return nil
	}
	s.notes[KernelLog] = container.Connected
	s.kernelLog = log
	return nil
}

// followKernelLog hands on what the log says until ctx ends.
func (s *Session) followKernelLog(ctx context.Context) <-chan *event.KernelOOM {
	if s.kernelLog == nil {
		return nil
	}
	lines := make(chan *event.KernelOOM, 16)
	go func() {
		err := s.kernelLog.Follow(ctx, func(k event.KernelOOM) {
			select {
			case lines <- &k:
			case <-ctx.Done():
			}
		})
		if err != nil {
			s.logFailures.Add(1)
			s.log.Warn("the kernel log cannot be read any more", "error", err)
		}
	}()
	return lines
}
