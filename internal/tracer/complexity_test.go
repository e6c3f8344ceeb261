// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// complexity is how many instructions the verifier looked at: by object,
// program and kernel (5.10, arm64 6.1 …).
type complexity map[string]map[string]map[string]int

const (
	complexityFile = "../../testdata/complexity.json"
	// tolerance is by how much a figure may grow: compilers and point releases
	// of a kernel move it a little.
	tolerance = 1.10
)

// What the verifier has to look at does not grow unnoticed on any kernel that
// has figures. UPDATE=1 writes them anew.
func TestComplexity(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("loading BPF programs needs root")
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		t.Log(err) // matters before 5.11
	}
	known := readComplexity(t)
	update := os.Getenv("UPDATE") != ""
	kernel := kernelSeries(t)
	objects := map[string]func() (*ebpf.CollectionSpec, error){"typed": loadTyped, "raw": loadRaw}
	if (Config{}).loops() {
		objects["loop"] = loadLoop
	}
	seen := complexity{}
	for object, spec := range objects {
		for program, n := range verified(t, spec) {
			seen.set(object, program, kernel, n)
			want, listed := known[object][program][kernel]
			switch {
			case update:
				known.set(object, program, kernel, n)
			case !listed && os.Getenv("TEST_GUEST") != "" && (runtime.GOARCH == "amd64" || known.has(kernel)):
				t.Errorf("%s/%s: %d instructions on %s, and no figure to compare with (UPDATE=1 notes it)", object, program, n, kernel)
			case listed && float64(n) > float64(want)*tolerance:
				t.Errorf("%s/%s: %d instructions on %s, %d before (UPDATE=1 accepts it)", object, program, n, kernel, want)
			}
		}
	}
	if !known.has(kernel) {
		t.Logf("no figures for %s to compare with", kernel)
	}
	if dir := os.Getenv("TEST_OUT"); dir != "" {
		seen.write(t, filepath.Join(dir, "complexity.json"))
	} else if update {
		known.write(t, complexityFile)
	}
}

var processed = regexp.MustCompile(`processed (\d+) insns`)

// verified loads each program with the constants that make the most of it.
func verified(t *testing.T, spec func() (*ebpf.CollectionSpec, error)) map[string]int {
	t.Helper()
	s, err := spec()
	if err != nil {
		t.Fatal(err)
	}
	c := Config{TargetCgroups: true, MemoryV1: true, Types: ReadTypes()}
	if err := c.apply(s); err != nil {
		t.Fatal(err)
	}
	p := &Tracer{programs: map[string]*ebpf.Program{}, spec: s}
	defer p.Close()
	if err := p.makeMaps(nil); err != nil {
		t.Fatal(err)
	}
	if p.options, err = collectionOptions(c); err != nil {
		t.Fatal(err)
	}
	p.options.Programs.LogLevel = ebpf.LogLevelStats
	counts := map[string]int{}
	for name := range s.Programs {
		prog, err := p.program(name)
		if err != nil {
			t.Logf("%s is refused here: %v", name, short{err})
			continue
		}
		m := processed.FindStringSubmatch(prog.VerifierLog)
		if m == nil {
			t.Fatalf("%s: the verifier tells no figures: %q", name, prog.VerifierLog)
		}
		counts[name], _ = strconv.Atoi(m[1])
	}
	return counts
}

// kernelSeries is the running kernel's version up to its second number.
func kernelSeries(t *testing.T) string {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(unix.ByteSliceToString(u.Release[:]), ".", 3)
	series := fmt.Sprintf("%s.%s", parts[0], parts[1])
	if runtime.GOARCH != "amd64" {
		return runtime.GOARCH + " " + series // other objects, other types
	}
	return series
}

func readComplexity(t *testing.T) complexity {
	t.Helper()
	c := complexity{}
	b, err := os.ReadFile(complexityFile)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c complexity) set(object, program, kernel string, n int) {
	if c[object] == nil {
		c[object] = map[string]map[string]int{}
	}
	if c[object][program] == nil {
		c[object][program] = map[string]int{}
	}
	c[object][program][kernel] = n
}

func (c complexity) has(kernel string) bool {
	for _, programs := range c {
		for _, kernels := range programs {
			if _, ok := kernels[kernel]; ok {
				return true
			}
		}
	}
	return false
}

func (c complexity) write(t *testing.T, file string) {
	t.Helper()
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
