// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"errors"
	"os"
	"path/filepath"
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
	s, err := ReadSymbols(strings.NewReader(text), func(n string) bool { return n == "isig" })
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
	if _, err := ReadSymbols(strings.NewReader(hidden), func(string) bool { return true }); !errors.Is(err, ErrNoSymbols) {
		t.Errorf("hidden addresses: %v, want ErrNoSymbols", err)
	}
}

// Of the inits of PID namespaces, and of no other process.
func TestInits(t *testing.T) {
	root := t.TempDir()
	for pid, ns := range map[string]string{"10": "10", "11": "11\t1", "12": "12\t7", "13": "13\t5\t1"} {
		dir := filepath.Join(root, pid)
		stat := pid + " (app) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 31415 1 2"
		err := errors.Join(
			os.Mkdir(dir, 0o755), os.Symlink("/bin/app-"+pid, filepath.Join(dir, "exe")),
			os.WriteFile(filepath.Join(dir, "stat"), []byte(stat), 0o600),
			os.WriteFile(filepath.Join(dir, "status"), []byte("Name:\tapp\nNSpid:\t"+ns+"\nThreads:\t1\n"), 0o600),
			os.WriteFile(filepath.Join(dir, "cmdline"), []byte("app\x00-x\x00"), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
	image := func(pid string) Image { return Image{Exe: "/bin/app-" + pid, Args: []string{"app", "-x"}} }
	want := map[Identity]Image{{11, 31415}: image("11"), {13, 31415}: image("13")}
	if diff := cmp.Diff(want, New(root).Inits(10)); diff != "" {
		t.Error(diff)
	}
	if got := New(root).Inits(1); len(got) != 1 {
		t.Errorf("%d of at most 1", len(got))
	}
}
