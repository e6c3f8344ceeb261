// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestImage builds the image of each architecture and looks into it: one layer
// with one static binary of that architecture, run as root.
func TestImage(t *testing.T) {
	if os.Getenv("CHECK_DEPLOY") == "" {
		t.Skip("make check-deploy builds it")
	}
	tool(t, "buildah")
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		out, err := exec.Command("./build-image", arch).Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", arch, err, err.(*exec.ExitError).Stderr)
		}
		archive := untar(t, read(t, string(bytes.TrimSpace(out))))
		var index []struct {
			Config           string
			RepoTags, Layers []string
		}
		fromJSON(t, archive["manifest.json"], &index)
		if len(index) != 1 || len(index[0].Layers) != 1 || !slices.Equal(index[0].RepoTags, []string{"localhost/sigtrace:dev"}) {
			t.Fatalf("%s: %+v", arch, index)
		}
		var image struct {
			Architecture string
			Config       struct {
				User                 string
				Entrypoint, Cmd, Env []string
			}
		}
		fromJSON(t, archive[index[0].Config], &image)
		if image.Architecture != arch || image.Config.User != "0:0" || !slices.Equal(image.Config.Entrypoint, []string{"/usr/bin/sigtrace"}) {
			t.Errorf("%s: %+v", arch, image)
		}
		if !slices.Contains(image.Config.Env, "PATH=/usr/bin") {
			t.Errorf("%s: kubectl exec would not find it: %v", arch, image.Config.Env)
		}
		files := untar(t, archive[index[0].Layers[0]])
		if len(files) != 1 || files["usr/bin/sigtrace"] == nil {
			t.Fatalf("%s: more in it than the binary, or something else", arch)
		}
		checkStatic(t, files["usr/bin/sigtrace"], machine)
	}
}

func checkStatic(t *testing.T, binary []byte, machine elf.Machine) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine != machine {
		t.Errorf("a binary for %s, not %s", f.Machine, machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("not static: there is no loader in the image")
		}
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func fromJSON(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// untar returns the regular files of an archive.
func untar(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}
