// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

func exitText(x event.ExitStatus) string {
	text := strconv.Itoa(x.Code)
	if x.Signal != "" {
		text += " (" + x.Signal + ")"
	}
	if isTrue(x.CoreDumped) {
		text += ", core dumped"
	}
	return text
}

func kubernetesText(k *event.KubernetesSays) string {
	text := "says " + safetext.Quote(k.Reason)
	if k.ExitCode != nil {
		text += fmt.Sprintf(", exit code %d", *k.ExitCode)
	}
	if !k.Agrees {
		text += ": that is not what was seen"
	}
	return text
}

// MemoryText shows a cgroup's figures; "" where there are none.
func MemoryText(m *event.Memory) string {
	if m == nil {
		return ""
	}
	var parts []string
	if m.LimitBytes != nil {
		parts = append(parts, "limit "+phrase.Bytes(*m.LimitBytes))
	}
	if m.PeakBytes != nil {
		parts = append(parts, "peak "+phrase.Bytes(*m.PeakBytes))
	}
	if m.OOMKills != nil {
		parts = append(parts, fmt.Sprintf("OOM kills so far %d", *m.OOMKills))
	}
	return strings.Join(parts, ", ")
}

// numbers lists the first of count numbers.
func numbers(list []int, count int) string {
	var parts []string
	for _, n := range list {
		parts = append(parts, strconv.Itoa(n))
	}
	if count > len(list) {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}

// joined joins what is not empty.
func joined(sep string, parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, sep)
}

// wrapped breaks a text at blanks into lines of at most width characters, where
// its words allow that.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
