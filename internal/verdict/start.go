// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// neverStarted reports whether what ended in the place of a container's init was
// still the OCI runtime's process: it gave up, or its runtime ended it.
func neverStarted(st *story, f *finding) bool {
	if !proctree.IsInit(st.process) || !proctree.IsUnstarted(st.process) {
		return false
	}
	switch f.cause {
	case event.CauseExited:
		return true
	case event.CauseRuntimeStop:
		return f.first != nil && proctree.CreatesContainers(f.first.Sender)
	}
	return false
}

// joinStart joins what the runtime says of a container that it could not start. It
// makes proven what the process itself might only look like, and decides where the
// process has not been recognised.
func (e *Engine) joinStart(st *story, j *joined) {
	p := st.process
	if p.Pod == nil || p.Container == nil || !proctree.IsInit(p) {
		return
	}
	t := e.kube.PodOf(p).Status(p.Container.ID)
	if t == nil || !kubefact.IsStartFailure(t.Reason) {
		return
	}
	switch j.cause {
	case event.CauseStartFailed:
		j.confidence = event.Proven
	case event.CauseExited:
		j.cause, j.confidence = event.CauseStartFailed, event.Likely
	default:
		return
	}
	j.quote = t.Text
	text := t.Reason
	if t.Text != "" {
		text += ": " + t.Text
	}
	j.words = append(j.words, event.Evidence{Time: t.Time, Source: t.Source, Text: text})
}

const (
	// ociPrefix is what runc says before its own reason (libcontainer/init_linux.go
	// and utils_linux.go), ociSuffix containerd's name for the kind of error.
	ociPrefix = "unable to start container process: "
	ociSuffix = ": unknown"
	startMax  = 120
)

// startDetail is the runtime's message, without the layers that it came through.
func startDetail(j *joined) string {
	text := j.quote
	if _, reason, ok := strings.Cut(text, ociPrefix); ok {
		text = reason
	}
	text = strings.TrimPrefix(strings.TrimSuffix(text, ociSuffix), "error during container init: ")
	if r := []rune(text); len(r) > startMax {
		text = string(r[:startMax-1]) + "…"
	}
	if text == "" {
		return ""
	}
	return " (" + safetext.Quote(text) + ")"
}
