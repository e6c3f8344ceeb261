// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kmsg"
)

const kernelLogName = "kernel log"

// openKernelLog opens the second witness of OOM kills; why it is not there
// stands among the sources.
func (s *session) openKernelLog(f *watchFlags) {
	path := f.kernelLog
	switch path {
	case "off":
		s.notes[kernelLogName] = "off"
		return
	case "":
		path = "/dev/kmsg"
	}
	log, err := kmsg.Open(path)
	if err != nil {
		s.notes[kernelLogName] = err.Error()
		return
	}
	s.notes[kernelLogName] = "connected"
	s.kernelLog = log
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
			s.log.Warn("the kernel log is no witness any more", "error", err)
		}
	}()
	return lines
}
