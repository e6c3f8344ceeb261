// SPDX-License-Identifier: Apache-2.0

package session

import (
	"log/slog"
	"time"

	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/target"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// Config is what a session opens and what it lets through.
type Config struct {
	// Version is sigtrace's own, and Node what events carry as their node.
	Version, Node string
	Target        target.Spec
	Shown         pipeline.Filter
	Sources       Sources
	// Forced is empty but in tests.
	Forced Forced
	// MaskArgs replaces secrets in the arguments that sentences quote.
	MaskArgs bool
	// Record names a file that the stream is recorded into; empty for none.
	Record string
	// ReadyFile is created once everything is attached; empty for none.
	ReadyFile string
	// DropPrivileges gives up the capabilities that only the start takes, for the whole
	// process.
	DropPrivileges bool
	// Writes are files and directories that are written to after the start.
	Writes []string
	// Timeout ends the session after that time; 0 is no limit.
	Timeout time.Duration
	// Types are the kernel's, which may be being read already; nil where that has
	// not begun.
	Types *tracer.Types
	// Pins are where the kernel side outlives the session; nil for nowhere.
	Pins *tracer.Pins
	// Waiting is called with a sentence when nothing of the target is there yet; it
	// may be nil.
	Waiting func(sentence string)
	// Fence catches panics, one event at a time.
	Fence *fence.Fence
	Log   *slog.Logger
}

// Off is the value that leaves a source out.
const Off = "off"

// Sources are where names, types and evidence come from; an empty value is looked
// for at the usual places.
type Sources struct {
	// CRIEndpoint is a socket and DockerHost a URL; each may be Off.
	CRIEndpoint, DockerHost string
	// KernelLog is a file, or Off.
	KernelLog  string
	Kubernetes Kubernetes
	// BTF is a file with the types of this kernel, where /sys has none.
	BTF string
}

// Forced are ways that this kernel would not take: tests take them.
type Forced struct {
	// RawTracepoints are used although BTF ones would do.
	RawTracepoints bool
	// Without leaves out: fentry, kprobe, loop, symbols.
	Without []string
}
