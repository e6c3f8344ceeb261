// SPDX-License-Identifier: Apache-2.0

package container

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
	"github.com/sigtrace/sigtrace/internal/signal"
)

// The files of testdata are what Docker 20.10 and containerd 1.6 really answered
// and wrote.
func testdata(t testing.TB, pattern string) [][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/" + pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no testdata/%s: %v", pattern, err)
	}
	var all [][]byte
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	return all
}

// answering is an HTTP daemon that gives one answer to all that is asked.
type answering []byte

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Api-Version": {"1.41"}},
		Body: io.NopCloser(bytes.NewReader(a)), Request: r,
	}, nil
}

// Whatever a daemon answers, it is understood or refused, and what it says of a
// stop signal is the name of a signal.
func FuzzDocker(f *testing.F) {
	for _, text := range testdata(f, "docker-*.json") {
		f.Add(text, uint32(0), uint8(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, n uint32, how uint8) {
		client := &http.Client{Transport: answering(fuzzing.Alter(text, n, how))}
		docker := &Docker{api: &dockerAPI{http: client, base: "http://docker"}}
		infos, listed := docker.List(t.Context())
		if listed != nil && len(infos) > 0 {
			t.Errorf("%d containers along with the error %v", len(infos), listed)
		}
		info, ok, err := docker.Inspect(t.Context(), Ref{ID: idA})
		if ok != (err == nil) {
			t.Errorf("found %v, error %v", ok, err)
		}
		checkStopSignal(t, info.StopSignal)
		if listed == nil || err == nil {
			fuzzing.Outcome(f.Name(), info, infos)
		}
	})
}

func checkStopSignal(t *testing.T, name string) {
	t.Helper()
	if name == "" {
		return
	}
	if n, err := signal.Parse(name); err != nil || n < 1 || n > 64 {
		t.Errorf("stop signal %q", name)
	}
}

// Whatever a runtime adds to a verbose status, what is not understood stays
// unknown.
func FuzzCRIInfo(f *testing.F) {
	for _, text := range testdata(f, "cri-*.json") {
		f.Add(text, uint32(0), uint8(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, n uint32, how uint8) {
		info := map[string]string{"info": string(fuzzing.Alter(text, n, how))}
		verbose := criVerbose(info)
		if verbose.PID < 0 {
			t.Errorf("pid %d", verbose.PID)
		}
		if verbose.CgroupPath != "" && verbose.CgroupPath[0] != '/' {
			t.Errorf("cgroup %q", verbose.CgroupPath)
		}
		image := imageStopSignal(info)
		checkStopSignal(t, image)
		if verbose.PID != 0 || verbose.CgroupPath != "" || image != "" {
			fuzzing.Outcome(f.Name(), verbose, image)
		}
	})
}

// Whatever a container's config.json and pidfile hold, the directory of tasks can
// be listed, and the container's cgroup is a path.
func FuzzOCISpec(f *testing.F) {
	for _, text := range testdata(f, "oci-*.json") {
		f.Add(text, []byte("4711"), uint32(0), uint8(1))
	}
	f.Fuzz(func(t *testing.T, spec, pid []byte, n uint32, how uint8) {
		bundle := tasks + "k8s.io/" + idA
		source := NewTaskDir(fstest.MapFS{
			bundle + "/config.json": {Data: fuzzing.Alter(spec, n, how)},
			bundle + "/init.pid":    {Data: pid},
		})
		infos, err := source.List(t.Context())
		if err != nil || len(infos) > 1 {
			t.Fatalf("%d containers, %v", len(infos), err)
		}
		for _, info := range infos {
			if info.ID != idA || info.PID < 0 || info.CgroupPath != "" && info.CgroupPath[0] != '/' {
				t.Errorf("%+v", info)
			}
			fuzzing.Outcome(f.Name(), info.Name, info.Image, info.CgroupPath, info.PID, info.Pod != nil)
		}
	})
}

// storedSeeds are records in the form in which Podman and CRI-O write them, by hand.
func storedSeeds() []string {
	return []string{
		`[{"id":"` + idA + `","names":["web"],"image":"0123","layer":"4567","metadata":"{\"image-name\":\"docker.io/library/web:1\",\"image-id\":\"0123\",\"name\":\"web\",\"created-at\":1764081000}","created":"2026-11-25T14:30:00Z","flags":{"MountLabel":"","ProcessLabel":""}}]`,
		`[{"id":"` + idB + `","names":["k8s_POD_web-0_shop_` + podUID + `_0"],"metadata":"{\"pod-name\":\"k8s_web-0\",\"pod-id\":\"` + idB + `\",\"name\":\"k8s_POD\",\"metadata-name\":\"web-0\",\"uid\":\"` + podUID + `\",\"namespace\":\"shop\",\"attempt\":0}"},` +
			`{"id":"` + idA + `","names":["k8s_app_web-0_shop"],"metadata":"{\"image-name\":\"registry/app:1\",\"pod-id\":\"` + idB + `\",\"name\":\"k8s_app\",\"metadata-name\":\"app\",\"attempt\":2}"}]`,
	}
}

// Whatever the records of containers/storage and a pidfile hold, they are listed
// or refused.
func FuzzStorage(f *testing.F) {
	for _, text := range storedSeeds() {
		f.Add([]byte(text), []byte("42\n"), uint32(0), uint8(1))
	}
	f.Fuzz(func(t *testing.T, records, pid []byte, n uint32, how uint8) {
		source := NewStorage(fstest.MapFS{
			storedContainers: {Data: fuzzing.Alter(records, n, how)},
			storageRunDir + "/" + idA + "/" + storagePIDFileName: {Data: pid},
		})
		infos, err := source.List(t.Context())
		if err != nil {
			return
		}
		slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.ID, b.ID) })
		var outcome []any
		for _, info := range infos {
			if info.PID < 0 {
				t.Errorf("%+v", info)
			}
			outcome = append(outcome, info.ID, info.Name, info.Image, info.Runtime, info.PID, info.Sandbox)
		}
		if len(infos) > 0 {
			fuzzing.Outcome(f.Name(), outcome...)
		}
	})
}

// Whatever a runtime says, a stop signal is the name of a signal or unknown.
func FuzzStopSignal(f *testing.F) {
	for _, reported := range []string{"", "SIGTERM", "WINCH", "28", "quit", "SIGRTMIN+3", "rtmax-2", "37", "nonsense", "999", "-1"} {
		f.Add(reported)
	}
	f.Fuzz(func(t *testing.T, reported string) {
		name := stopSignal(reported)
		checkStopSignal(t, name)
		if strings.ContainsFunc(name, unicode.IsControl) {
			t.Errorf("%q lets %q through", reported, name)
		}
		fuzzing.Outcome(f.Name(), reported, name)
	})
}
