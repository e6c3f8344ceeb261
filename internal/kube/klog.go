// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strconv"
	"strings"
	"time"
)

// record is one entry of a kubelet's log, whatever its format.
type record struct {
	time    time.Time
	message string
	// values by key; objects and pods as "namespace/name", lists joined by
	// blanks.
	values map[string]string
	// verbosity is known in JSON alone; -1 otherwise.
	verbosity int
}

// headerLength is that of "I0102 15:04:05.000000", what every line of klog's
// text format begins with (k8s.io/klog/v2 internal/buffer FormatHeader).
const headerLength = len("I0102 15:04:05.000000")

// klogHeader reads klog's header and returns what follows the "]".
func klogHeader(line string) (stamp, rest string, ok bool) {
	if len(line) < headerLength || strings.IndexByte("IWEF", line[0]) < 0 || line[5] != ' ' || line[8] != ':' || line[14] != '.' {
		return "", "", false
	}
	head, rest, ok := strings.Cut(line, "] ")
	if !ok || len(head) < headerLength || strings.ContainsAny(head[headerLength:], `"=`) {
		return "", "", false
	}
	return line[1:headerLength], rest, true
}

// structured reads `"message" key=value …` as klog's text format writes it:
// strings in Go's quotes, objects as they print themselves, and texts of
// several lines between "=<" and " >".
func structured(text string) (message string, values map[string]string, ok bool) {
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", nil, false
	}
	message, err = strconv.Unquote(quoted)
	if err != nil {
		return "", nil, false
	}
	values = map[string]string{}
	rest := strings.TrimLeft(text[len(quoted):], " ")
	for rest != "" {
		key, after, found := strings.Cut(rest, "=")
		if !found || strings.ContainsAny(key, " \t\n") {
			break
		}
		var value string
		value, rest = klogValue(after)
		values[key] = value
		rest = strings.TrimLeft(rest, " ")
	}
	return message, values, true
}

// klogValue takes one value off a line.
func klogValue(text string) (value, rest string) {
	switch {
	case strings.HasPrefix(text, `"`):
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return text, ""
		}
		value, _ = strconv.Unquote(quoted)
		return value, text[len(quoted):]
	case strings.HasPrefix(text, "<\n"):
		block, rest, _ := strings.Cut(text[2:], "\n >")
		return strings.Join(strings.Fields(block), " "), rest
	case strings.HasPrefix(text, "["):
		return bracketed(text, '[', ']')
	case strings.HasPrefix(text, "{"):
		return bracketed(text, '{', '}')
	}
	value, rest, _ = strings.Cut(text, " ")
	return value, rest
}

// bracketed takes a list or a structure off a line. What klog prints within
// has quotes (newer) or none (older); names of the API hold neither brackets
// nor quotes.
func bracketed(text string, open, end byte) (value, rest string) {
	depth, inQuotes := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inQuotes && c == '\\':
			i++
		case c == '"':
			inQuotes = !inQuotes
		case inQuotes:
		case c == open:
			depth++
		case c == end:
			if depth--; depth == 0 {
				return plain(text[1:i]), text[i+1:]
			}
		}
	}
	return plain(text[1:]), ""
}

// plain makes blanks of a list's quotes and commas.
func plain(list string) string {
	return strings.Join(strings.FieldsFunc(list, func(r rune) bool { return r == '"' || r == ',' || r == ' ' }), " ")
}
