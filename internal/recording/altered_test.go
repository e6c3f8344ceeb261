// SPDX-License-Identifier: Apache-2.0

package recording_test

import (
	"bytes"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
	"github.com/sigtrace/sigtrace/internal/fuzzing/replayed"
)

// place is where a key stands: in which recording, line and value.
type place struct {
	recording string
	line      int
	value     uint32
}

// places finds one place of each key of all recordings, in the smallest one that
// has it.
func places(recordings map[string][]byte) map[string]place {
	names := slices.SortedFunc(maps.Keys(recordings), func(a, b string) int {
		return len(recordings[a]) - len(recordings[b])
	})
	found := map[string]place{}
	for _, name := range names {
		for i, line := range bytes.Split(recordings[name], []byte("\n")) {
			for n, path := range fuzzing.Paths(line) {
				if _, ok := found[path]; !ok {
					found[path] = place{name, i, uint32(n)}
				}
			}
		}
	}
	return found
}

// Whatever becomes of one value of a recording, replay ends without a panic. An
// error says in which line it is.
func TestAlteredRecordings(t *testing.T) {
	recordings, err := replayed.Excerpts("../../testdata/replay")
	if err != nil {
		t.Fatal(err)
	}
	all := places(recordings)
	if len(all) < 200 {
		t.Fatalf("only %d keys", len(all))
	}
	replays, refused := 0, 0
	for _, path := range slices.Sorted(maps.Keys(all)) {
		p := all[path]
		for how := range uint8(fuzzing.Alterations) {
			lines := bytes.Split(recordings[p.recording], []byte("\n"))
			lines[p.line] = fuzzing.Alter(lines[p.line], p.value, how)
			replays++
			if err := unbroken(t, bytes.Join(lines, []byte("\n"))); err != nil {
				refused++
				if strings.HasPrefix(err.Error(), "panic") {
					t.Errorf("%s, line %d, %s, alteration %d: %v", p.recording, p.line+1, path, how, err)
				}
			}
		}
	}
	t.Logf("%d keys, %d replays, %d refused", len(all), replays, refused)
	if refused == replays {
		t.Error("everything is refused: nothing was tried")
	}
}

func unbroken(t testing.TB, text []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	_, err = replayed.Replay(t.Context(), text)
	return err
}
