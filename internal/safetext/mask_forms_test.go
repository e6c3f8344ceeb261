// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

// commandLines reads a file of command lines; a line that a quote leaves open
// goes on in the next.
func commandLines(t *testing.T, name string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "masking", name))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	open := ""
	for line := range strings.SplitSeq(strings.TrimSpace(string(content)), "\n") {
		if open == "" && strings.HasPrefix(line, "#") {
			continue
		}
		open += line
		if strings.Count(open, "'")%2 == 1 {
			open += "\n"
			continue
		}
		all = append(all, open)
		open = ""
	}
	return all
}

// shellWords are the arguments that a shell makes of a command line.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-c", "set -- "+line+"\nprintf '%s\\0' \"$@\"").Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// wrapped are the ways in which a process may carry a command line: as it is, below
// another program, and in a shell's script, once and twice.
func wrapped(t *testing.T, line string) map[string][]string {
	args := shellWords(t, line)
	again := "'" + strings.ReplaceAll("app "+line, "'", `'\''`) + "'"
	return map[string][]string{
		"alone":  args,
		"app":    append([]string{"app"}, args...),
		"exec":   append([]string{"docker", "exec", "c", "app"}, args...),
		"script": {"sh", "-c", "app " + line},
		"after":  {"bash", "-lc", "cd /x && " + line + " || exit 1"},
		"twice":  {"sh", "-c", "exec sh -c " + again},
	}
}

func TestSecretForms(t *testing.T) {
	for _, line := range commandLines(t, "secrets.txt") {
		for form, args := range wrapped(t, line) {
			if got := Mask(args); strings.Contains(strings.Join(got, "\n"), "S3cret") {
				t.Errorf("%s: not masked: %q", form, got)
			}
		}
	}
}

func TestOrdinaryForms(t *testing.T) {
	for _, line := range commandLines(t, "ordinary.txt") {
		for form, args := range wrapped(t, line) {
			if got := Mask(args); !slices.Equal(got, args) {
				t.Errorf("%s: masked: %q", form, got)
			}
		}
	}
}

// FuzzSecretForms puts a secret drawn at random in the place of each form's. One
// that is short or all of one kind of letter is not recognizable everywhere.
func FuzzSecretForms(f *testing.F) {
	f.Add(uint(0), uint64(1))
	f.Fuzz(func(t *testing.T, form uint, seed uint64) {
		lines := commandLines(t, "secrets.txt")
		line := lines[form%uint(len(lines))]
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		secret := "S3cret"
		for range 6 {
			secret += string(letters[seed%uint64(len(letters))])
			seed /= uint64(len(letters))
		}
		for i := strings.Index(line, "S3cret"); i >= 0 && i < len(line)-8; i = len(line) {
			line = line[:i] + secret + line[i+8:]
		}
		got := Mask([]string{"sh", "-c", line})
		if strings.Contains(strings.Join(got, "\n"), "S3cret") {
			t.Errorf("not masked: %q", got)
		}
		fuzzing.Outcome(f.Name(), got)
	})
}

// FuzzMask: whatever the arguments are, their number stays, and what is not
// masked stays as it was and in its order.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{
		"--password=hunter2", "X_API-KEY: abc", "SECRET='x'", "a://b:c@d", "sh\x00-c\x00x \"$(y 'z\\''", "-----BEGIN PRIVATE KEY-----",
		"\x00-p\x00", "a=b=c:d", "`$(`\"'\\", "eyJ.eyJ", "--token\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, joined string) {
		args := strings.Split(joined, "\x00")
		before := slices.Clone(args)
		got := Mask(args)
		if !slices.Equal(args, before) {
			t.Fatal("the arguments given were written to")
		}
		if len(got) != len(args) {
			t.Fatalf("%d arguments became %d", len(args), len(got))
		}
		for i := range got {
			rest := args[i]
			for n, kept := range strings.Split(got[i], masked) {
				at := strings.Index(rest, kept)
				if at < 0 || n == 0 && at != 0 {
					t.Fatalf("%q became %q", args[i], got[i])
				}
				rest = rest[at+len(kept):]
			}
		}
		fuzzing.Outcome(f.Name(), got)
	})
}
