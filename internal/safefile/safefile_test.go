// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// stranger is neither root nor who runs the tests.
const stranger = 54321

// asRoot skips where files cannot be given to others.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("giving files to others takes root")
	}
}

// place is a directory with a mode and an owner.
func place(t *testing.T, mode os.FileMode, uid, gid int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "place")
	must(t, os.Mkdir(dir, 0o700))
	if uid != os.Geteuid() || gid != os.Getegid() {
		asRoot(t)
		must(t, os.Chown(dir, uid, gid))
	}
	must(t, os.Chmod(dir, mode))
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// file makes a file with a content.
func file(t *testing.T, name string, uid int) {
	t.Helper()
	must(t, os.WriteFile(name, []byte("before"), 0o600))
	if uid != os.Geteuid() {
		asRoot(t)
		must(t, os.Chown(name, uid, uid))
	}
}

// refused holds an error against the component and the words it must name.
func refused(t *testing.T, err error, path string, words ...string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("not refused: %v", err)
	}
	if r.Path != path {
		t.Errorf("it names %s, not %s", r.Path, path)
	}
	for _, w := range append(words, path) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") || r.Advice == "" {
		t.Errorf("not one sentence with advice: %q", err)
	}
}

func TestCreate(t *testing.T) {
	me := os.Geteuid()
	for name, mode := range map[string]os.FileMode{"private": 0o755, "sticky": 0o777 | os.ModeSticky, "open": 0o777} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(place(t, mode, me, os.Getegid()), "out")
			for range 2 { // new, then one's own
				f, err := Create(path, 0o600)
				if err != nil {
					t.Fatal(err)
				}
				_, err = f.WriteString("x")
				must(t, errors.Join(err, f.Close()))
				if b, _ := os.ReadFile(path); string(b) != "x" {
					t.Errorf("%q", b)
				}
				if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
					t.Errorf("%v", info.Mode())
				}
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := place(t, 0o777|os.ModeSticky, os.Geteuid(), os.Getegid())
	kept := filepath.Join(t.TempDir(), "kept")
	file(t, kept, os.Geteuid())
	in := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Symlink(kept, in("link")))
	must(t, os.Symlink(in("nothing"), in("dangling")))
	must(t, os.Link(kept, in("hard")))
	must(t, unix.Mkfifo(in("fifo"), 0o600))
	must(t, os.Mkdir(in("dir"), 0o700))
	for name, word := range map[string]string{
		"link": "symbolic link", "dangling": "symbolic link", "hard": "hard link", "fifo": "not a regular file", "dir": "directory",
	} {
		f, err := Create(in(name), 0o600)
		if f != nil {
			t.Errorf("%s was opened", name)
			continue
		}
		refused(t, err, in(name), word)
	}
	if b, _ := os.ReadFile(kept); string(b) != "before" {
		t.Errorf("what the links lead to was written: %q", b)
	}
	if _, err := os.Lstat(in("nothing")); err == nil {
		t.Error("what the dangling link leads to was made")
	}
	_, err := Create(dir+"/", 0o600)
	refused(t, err, dir+"/", "directory")
}

func TestCreateRefusesStrangersFiles(t *testing.T) {
	asRoot(t)
	for name, mode := range map[string]os.FileMode{"private": 0o755, "sticky": 0o777 | os.ModeSticky} {
		path := filepath.Join(place(t, mode, 0, 0), "out")
		file(t, path, stranger)
		_, err := Create(path, 0o600)
		refused(t, err, path, "uid 54321")
		if b, _ := os.ReadFile(path); string(b) != "before" {
			t.Errorf("%s: emptied", name)
		}
		// Whoever called sudo may have made it.
		t.Setenv("SUDO_UID", "54321")
		f, err := Create(path, 0o600)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		must(t, f.Close())
		t.Setenv("SUDO_UID", "")
	}
}

func TestCreateStandardStreams(t *testing.T) {
	read, write, err := os.Pipe()
	must(t, err)
	before, err := unix.Dup(1)
	must(t, err)
	must(t, unix.Dup2(int(write.Fd()), 1))
	for _, name := range []string{"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"} {
		f, err := Create(name, 0o600)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, _ = f.WriteString("x")
		must(t, f.Close())
	}
	must(t, unix.Dup2(before, 1))
	must(t, write.Close())
	b := make([]byte, 16)
	if n, _ := read.Read(b); string(b[:n]) != "xxxx" {
		t.Errorf("%q", b[:n])
	}
	f, err := Create("/dev/null", 0o600)
	must(t, err)
	must(t, f.Close())
}

func TestDirectory(t *testing.T) {
	me, group := os.Geteuid(), os.Getegid()
	sticky := place(t, 0o777|os.ModeSticky, me, group)
	for _, path := range []string{
		filepath.Join(t.TempDir(), "a/b/c"), // below /tmp
		filepath.Join(sticky, "new/deep"),   // nobody was faster
		filepath.Join(place(t, 0o755, me, group), "x"),
	} {
		for range 2 {
			if err := MakeDirectory(path, 0o700); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v", path, err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(sticky, link))
	must(t, MakeDirectory(filepath.Join(link, "by-link"), 0o700))
}

func TestDirectoryRefuses(t *testing.T) {
	asRoot(t)
	open := place(t, 0o777, 0, 0)
	group := place(t, 0o775, 0, 1234)
	sticky := place(t, 0o777|os.ModeSticky, 0, 0)
	theirs := filepath.Join(sticky, "theirs")
	must(t, os.Mkdir(theirs, 0o700))
	must(t, os.Chown(theirs, stranger, stranger))
	theirLink := filepath.Join(sticky, "link")
	must(t, os.Symlink("/var", theirLink))
	must(t, os.Lchown(theirLink, stranger, stranger))
	toOpen := filepath.Join(t.TempDir(), "to-open")
	must(t, os.Symlink(open, toOpen))
	plain := filepath.Join(t.TempDir(), "plain")
	file(t, plain, 0)
	for _, c := range []struct{ path, component, word string }{
		{open, open, "everybody"},
		{open + "/new/deep", open, "everybody"},
		{group + "/x", group, "group 1234"},
		{sticky, sticky, "everybody"},
		{theirs, theirs, "uid 54321"},
		{theirs + "/x", theirs, "uid 54321"},
		{theirLink + "/x", theirLink, "uid 54321"},
		{toOpen + "/x", open, "everybody"},
		{sticky + "/../" + filepath.Base(sticky) + "/theirs/x", theirs, "uid 54321"},
		{plain + "/x", plain, "not a directory"},
	} {
		refused(t, MakeDirectory(c.path, 0o700), c.component, c.word)
	}
	if made, _ := os.ReadDir(open); len(made) > 0 {
		t.Errorf("made before it was refused: %v", made)
	}
	// A loop of links ends.
	loop := filepath.Join(t.TempDir(), "loop")
	must(t, os.Symlink(loop, loop))
	refused(t, CheckDirectory(loop+"/x"), loop, "too many")
}

// An owner's own directory is theirs to use, and so is that of a group of one.
func TestDirectoryOfItsOwner(t *testing.T) {
	asRoot(t)
	for _, dir := range []string{place(t, 0o755, stranger, stranger), place(t, 0o775, stranger, stranger), place(t, 0o775, 0, 0)} {
		must(t, CheckDirectory(filepath.Join(dir, "logs")))
	}
}
