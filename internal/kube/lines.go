// SPDX-License-Identifier: Apache-2.0

package kube

import "bytes"

// lines cuts a stream into lines of a bounded length.
type lines struct {
	part []byte
	skip bool // up to the next end of a line
}

func (l *lines) reset() { l.part, l.skip = l.part[:0], false }

func (l *lines) add(data []byte, hand func(string)) {
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		piece := data
		if end >= 0 {
			piece = data[:end]
		}
		if !l.skip && len(l.part)+len(piece) > entryMax {
			l.part, l.skip = l.part[:0], true
		}
		if !l.skip {
			l.part = append(l.part, piece...)
		}
		if end < 0 {
			return
		}
		if !l.skip {
			hand(string(l.part))
		}
		l.reset()
		data = data[end+1:]
	}
}
