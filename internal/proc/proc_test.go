// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	// A comm may hold spaces and parentheses.
	got, err := parseStat([]byte("42 (a) (b c) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 31415 1 2"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Stat{"a) (b c", 'S', 7, 31415}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "1 (x", "1 (x) S", "1 ) x ( S 1"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("parseStat(%q): no error", bad)
		}
	}
}

func TestImageOfSelf(t *testing.T) {
	fs := New("")
	s, err := fs.Stat(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	image, err := fs.Image(os.Getpid(), s.StartTicks*nsPerTick)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(os.Args, image.Args); diff != "" {
		t.Error(diff)
	}
	if _, err := fs.Image(os.Getpid(), (s.StartTicks+1)*nsPerTick); !errors.Is(err, ErrGone) {
		t.Errorf("another process under the same pid: %v, want ErrGone", err)
	}
}

func TestSymbols(t *testing.T) {
	const text = `ffffffff81000000 T _stext
ffffffff81000100 t isig.isra.0
ffffffff81000200 D data
ffffffff81000300 T next
`
	s, err := parseSymbols(strings.NewReader(text), func(n string) bool { return n == "isig" })
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[uint64]string{
		0xffffffff810000ff: "", 0xffffffff81000100: "isig", 0xffffffff810002ff: "isig", 0xffffffff81000300: "",
	} {
		if got := s.Find(at); got != want {
			t.Errorf("Find(%#x) = %q, want %q", at, got, want)
		}
	}
	hidden := strings.ReplaceAll(text, "ffffffff81000", "0000000000000")
	hidden = strings.NewReplacer("0000000000000100", "0000000000000000", "0000000000000200", "0000000000000000", "0000000000000300", "0000000000000000").Replace(hidden)
	if _, err := parseSymbols(strings.NewReader(hidden), func(string) bool { return true }); !errors.Is(err, ErrNoSymbols) {
		t.Errorf("hidden addresses: %v, want ErrNoSymbols", err)
	}
}
