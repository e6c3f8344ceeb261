// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Symbols says which of a set of kernel functions an address lies in.
type Symbols struct {
	starts []uint64
	ends   []uint64
	names  []string
}

// ErrNoSymbols says that the kernel hides its addresses.
var ErrNoSymbols = errors.New("kernel addresses are hidden: CAP_SYSLOG is needed, and kernel.kptr_restrict below 2")

// OpenSymbols opens /proc/kallsyms for ReadSymbols. Whether the kernel shows its
// addresses is decided here, by the capabilities at this moment.
func (f FS) OpenSymbols() (*os.File, error) {
	file, err := os.Open(filepath.Join(f.root, "kallsyms"))
	if err != nil {
		return nil, fmt.Errorf("read kernel symbols: %w", err)
	}
	return file, nil
}

type found struct {
	at   uint64
	name string
}

// ReadSymbols reads the functions that wanted accepts from what OpenSymbols opened.
// Names are passed and kept without the suffix that a compiler adds (.isra.0).
func ReadSymbols(r io.Reader, wanted func(string) bool) (*Symbols, error) {
	var all []uint64
	var hits []found
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), 1<<20)
	for s.Scan() {
		line := s.Bytes()
		at, kind, name, ok := cutSymbol(line)
		if !ok || (kind != 't' && kind != 'T' && kind != 'w' && kind != 'W') {
			continue
		}
		all = append(all, at)
		if name = bareName(name); wanted(name) {
			hits = append(hits, found{at, name})
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read kernel symbols: %w", err)
	}
	if len(all) == 0 || slices.Max(all) == 0 {
		return nil, ErrNoSymbols
	}
	return newSymbols(all, hits), nil
}

func cutSymbol(line []byte) (at uint64, kind byte, name string, ok bool) {
	if len(line) < 20 || line[16] != ' ' || line[18] != ' ' {
		return 0, 0, "", false
	}
	at, err := strconv.ParseUint(string(line[:16]), 16, 64)
	name, _, _ = strings.Cut(string(line[19:]), "\t")
	return at, line[17], name, err == nil
}

func bareName(name string) string {
	bare, _, _ := strings.Cut(name, ".")
	return bare
}

func newSymbols(all []uint64, hits []found) *Symbols {
	slices.Sort(all)
	all = slices.Compact(all)
	slices.SortFunc(hits, func(a, b found) int {
		if a.at < b.at {
			return -1
		}
		return 1
	})
	s := &Symbols{}
	for _, h := range hits {
		i, _ := slices.BinarySearch(all, h.at)
		end := ^uint64(0)
		if i+1 < len(all) {
			end = all[i+1]
		}
		s.starts = append(s.starts, h.at)
		s.ends = append(s.ends, end)
		s.names = append(s.names, h.name)
	}
	return s
}

// Find returns the wanted function that holds the address; empty if none does.
func (s *Symbols) Find(address uint64) string {
	if s == nil {
		return ""
	}
	i, exact := slices.BinarySearch(s.starts, address)
	if !exact {
		i--
	}
	if i < 0 || address >= s.ends[i] {
		return ""
	}
	return s.names[i]
}
