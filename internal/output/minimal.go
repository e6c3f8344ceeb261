// SPDX-License-Identifier: Apache-2.0

// Package output prints events.
package output

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

type Options struct {
	Color, UTC, Headers, MaskArgs, All bool
	Width                              int
}

type minimal struct{ w *bufio.Writer }

func Formats() []string { return []string{"table", "wide", "json", "jsonpretty", "stap"} }

type Printer interface {
	Print(event.Event) error
	Tick(time.Time) error
	Flush() error
	Close() error
}

func New(format string, w io.Writer, o Options) (Printer, error) {
	return &minimal{bufio.NewWriter(w)}, nil
}

func (m *minimal) Print(e event.Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	m.w.Write(b)
	return m.w.WriteByte('\n')
}
func (m *minimal) Tick(time.Time) error { return nil }
func (m *minimal) Flush() error         { return m.w.Flush() }
func (m *minimal) Close() error         { return m.w.Flush() }
