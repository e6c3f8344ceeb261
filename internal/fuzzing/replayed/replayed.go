// SPDX-License-Identifier: Apache-2.0

// Package replayed hands the golden recordings to tests, and replays what has
// become of them. It lies apart from package fuzzing, which tests inside the
// packages import that a replay needs.
package replayed

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/recording"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// excerptMax is the size in bytes of what can be replayed thousands of times in
// a few seconds.
const excerptMax = 24 << 10

// Excerpts reads the recordings (*.jsonl.gz) in a directory: small ones whole,
// large ones in pieces that each begin with the recording's header. The names
// are the files', with the number of the piece.
func Excerpts(dir string) (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no recordings in %s: %w", dir, errors.Join(err, os.ErrNotExist))
	}
	found := map[string][]byte{}
	for _, name := range files {
		text, err := unpacked(name)
		if err != nil {
			return nil, err
		}
		for i, part := range parts(text) {
			found[fmt.Sprintf("%s-%03d", strings.TrimSuffix(filepath.Base(name), ".jsonl.gz"), i)] = part
		}
	}
	return found, nil
}

func parts(text []byte) [][]byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	header := lines[0]
	var all [][]byte
	part := bytes.Clone(header)
	for _, line := range lines[1:] {
		if len(part)+len(line) > excerptMax && len(part) > len(header) {
			all = append(all, part)
			part = bytes.Clone(header)
		}
		part = append(part, line...)
	}
	return append(all, part)
}

func unpacked(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return text, nil
}

// Replay runs a recording as sigtrace replay --all does, through every printer
// at once, and returns the lines of JSON: what an agent would have written to
// its files.
func Replay(ctx context.Context, text []byte) (string, error) {
	r, err := recording.NewReader(bytes.NewReader(text))
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	printer, err := allPrinters(&out)
	if err != nil {
		return "", err
	}
	o := r.Options()
	o.MaskArgs = true
	engine := verdict.New(o)
	r.HandLog(engine.KernelLog)
	r.HandFacts(engine.Fact)
	types := map[event.Type]bool{}
	for _, name := range event.Types() {
		types[name] = true
	}
	err = pipeline.Replay(ctx, r, printer, pipeline.Options{Filter: pipeline.Filter{Types: types, All: true}, Verdicts: engine})
	return out.String(), errors.Join(err, printer.Close())
}

func allPrinters(json io.Writer) (output.Printer, error) {
	var all []output.Printer
	for _, format := range output.Formats() {
		to := io.Discard
		if format == "json" {
			to = json
		}
		printer, err := output.New(format, to, output.Options{
			UTC: true, Width: 120, MaskArgs: true, Headers: true, Now: func() time.Time { return time.Time{} },
		})
		if err != nil {
			return nil, err
		}
		all = append(all, printer)
	}
	return output.Tee(all...), nil
}
