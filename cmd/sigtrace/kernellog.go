// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kmsg"
)

const (
	kernelLogName    = "kernel log"
	defaultKernelLog = "/dev/kmsg"
)

// openKernelLog opens the second witness of OOM kills. Where the default is not
// there, why stands among the sources; one that was asked for must be there.
func (s *session) openKernelLog(f *watchFlags) error {
	path := f.kernelLog
	switch path {
	case "off":
		s.notes[kernelLogName] = "off"
		return nil
	case "":
		path = defaultKernelLog
	}
	log, err := kmsg.Open(path)
	if err != nil {
		s.logFailures.Add(1)
		s.notes[kernelLogName] = err.Error()
		if f.kernelLog != "" {
			return fmt.Errorf("--kernel-log: %w (--kernel-log off goes without it)", err)
		}
		return nil
	}
	s.notes[kernelLogName] = "connected"
	s.kernelLog = log
	return nil
}

// followKernelLog hands on what the log says until ctx ends.
func (s *session) followKernelLog(ctx context.Context) <-chan *event.KernelOOM {
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
			s.log.Warn("the kernel log is no witness any more", "error", err)
		}
	}()
	return lines
}
