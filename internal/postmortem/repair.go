// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// repair cuts off what follows the last line end: a crash in the middle of a
// write leaves part of a line, and some file systems leave zeros after it.
// It returns the size that is left and how many bytes went.
func repair(file *os.File) (size, cut int64, err error) {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, 0, err
	}
	size, err = lastLineEnd(file, end)
	if err != nil || size == end {
		return size, 0, err
	}
	if err := file.Truncate(size); err != nil {
		return 0, 0, err
	}
	return size, end - size, nil
}

// lastLineEnd returns the offset behind the last line end before end.
func lastLineEnd(r io.ReaderAt, end int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for end > 0 {
		from := max(0, end-int64(len(buf)))
		n, err := r.ReadAt(buf[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}
