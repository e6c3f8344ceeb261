// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// outputMax bounds what a sentence quotes of a probe's output, in characters.
const outputMax = 80

// Failure is how a probe has failed before a stop.
type Failure struct {
	// Failed is how often in a row, as the source that counted most says; 0 where
	// none counted.
	Failed int
	// Output is what kubelet got, in short ("HTTP 500"); empty where no source
	// says.
	Output string
	// Answered: Output is the status of an answer by HTTP.
	Answered bool
	// Settings are the probe's, nil where they are not known.
	Settings *kubefact.ProbeSettings
}

// failure is how a probe of the container has failed before the stop.
func (s *Stop) failure(probe string) Failure {
	f := Failure{Settings: s.settings(probe)}
	for _, source := range []string{kubefact.SourceKubeletLog, kubefact.SourceAPI, kubefact.SourceCounters} {
		f.Failed = max(f.Failed, s.run(probe, source).failed)
	}
	f.Output, f.Answered = s.output(probe, "")
	return f
}

// output is what the last failure of a probe before the stop was, in short, as one
// source says, or any where source is empty.
func (s *Stop) output(probe, source string) (output string, answered bool) {
	for i := len(s.Pod.facts) - 1; i >= 0; i-- {
		f := s.Pod.facts[i]
		if f.Kind != kubefact.ProbeResults || f.Probe != probe || f.Failed == 0 || source != "" && f.Source != source || !s.mine(f) || !s.counts(f) {
			continue
		}
		if output, answered = shortOutput(f.Text, s.settings(probe)); output != "" {
			return output, answered
		}
	}
	return "", false
}

// httpStatus is what kubelet says of an answer (pkg/probe/http/http.go).
var httpStatus = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^HTTP probe failed with statuscode: (\d+)$`)
})

// errorsInShort are the ends of errors of Go's net package, kubelet's exec prober
// and its gRPC client.
var errorsInShort = []struct{ in, short string }{
	{"connection refused", "connection refused"},
	{"connection reset by peer", "connection reset by peer"},
	{"no route to host", "no route to host"},
	{"no such host", "no such host"},
	{"context deadline exceeded", "timed out"},
	{"DeadlineExceeded", "timed out"},
	{"i/o timeout", "timed out"},
	{"timed out", "timed out"},
}

// shortOutput takes out of kubelet's words ("Liveness probe failed: …") what the
// probe got, in a few words.
func shortOutput(text string, settings *kubefact.ProbeSettings) (output string, answered bool) {
	_, text, _ = strings.Cut(text, " probe ") // "failed: …", "errored and resulted in unknown state: …"
	_, output, _ = strings.Cut(text, ": ")
	output = strings.TrimSpace(output)
	if m := httpStatus().FindStringSubmatch(output); m != nil {
		return "HTTP " + m[1], true
	}
	for _, e := range errorsInShort {
		if !strings.Contains(output, e.in) {
			continue
		}
		if e.short == "timed out" && settings != nil {
			return fmt.Sprintf("timed out after %d s", settings.TimeoutSeconds), false
		}
		return e.short, false
	}
	if r := []rune(output); len(r) > outputMax {
		output = string(r[:outputMax-1]) + "…"
	}
	return safetext.Quote(output), false
}

// String is a sentence's end: " twice: HTTP 500 from :8080/healthz".
func (f Failure) String() string {
	text := ""
	switch {
	case f.Failed == 1:
		text = " once"
	case f.Failed == 2:
		text = " twice"
	case f.Failed > 2:
		text = fmt.Sprintf(" %d times", f.Failed)
	}
	target := f.Settings.Target()
	switch {
	case f.Answered && target != "":
		return text + ": " + f.Output + " from " + f.Settings.Checks
	case f.Output != "" && target != "":
		return text + ": " + f.Output + " (" + target + ")"
	case f.Output != "":
		return text + ": " + f.Output
	case target != "":
		return text + " (" + target + ")"
	}
	return text
}
