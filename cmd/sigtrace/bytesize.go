// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
)

// byteSize is a flag's size in bytes: 10MiB, 10M, 1048576. The units are powers
// of 1024, but for kB, MB and GB.
type byteSize int64

func sizeUnits() []struct {
	suffix string
	factor int64
} {
	return []struct {
		suffix string
		factor int64
	}{
		{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30},
		{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9},
		{"ki", 1 << 10}, {"mi", 1 << 20}, {"gi", 1 << 30},
		{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"b", 1}, {"", 1},
	}
}

// Set is pflag.Value's.
func (s *byteSize) Set(text string) error {
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, u := range sizeUnits() {
		digits, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n <= 0 || n > 1<<50/u.factor {
			break
		}
		*s = byteSize(n * u.factor)
		return nil
	}
	return fmt.Errorf("%q is not a size: try 10MiB", text)
}

func (s *byteSize) String() string {
	n := int64(*s)
	for _, u := range sizeUnits()[:3] {
		if n >= u.factor && n%u.factor == 0 && n/u.factor < 1024 {
			return fmt.Sprintf("%d%siB", n/u.factor, strings.ToUpper(u.suffix[:1]))
		}
	}
	return strconv.FormatInt(n, 10)
}

// Type is pflag.Value's.
func (s *byteSize) Type() string { return "size" }
