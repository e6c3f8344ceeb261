// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

// image is the name of one of the bed's images: 1 and 2 hold the same, as an
// application and its next version; pause is a sandbox's.
func image(tag string) string { return "docker.io/library/sigtrace-bed:" + tag }

// applets are the commands of busybox that scenarios use.
var applets = []string{"sh", "sleep", "kill", "cat", "echo", "dd", "tail", "timeout", "true", "false", "test", "touch", "rm"}

func (b *Bed) importImages(ctx context.Context) error {
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return fmt.Errorf("static busybox is needed for the images: %w", err)
	}
	app, err := os.ReadFile(b.options.App)
	if err != nil {
		return err
	}
	small, err := layer(busybox, nil)
	if err != nil {
		return err
	}
	whole, err := layer(busybox, app)
	if err != nil {
		return err
	}
	for tag, content := range map[string][]byte{"pause": small, "1": whole, "2": whole} {
		archive, err := imageArchive(image(tag), content)
		if err != nil {
			return err
		}
		file := b.path("image.tar")
		if err := os.WriteFile(file, archive, 0o600); err != nil {
			return err
		}
		if err := b.ctr(ctx, "images", "import", "--snapshotter", b.snapshotter(), file); err != nil {
			return err
		}
	}
	return os.Remove(b.path("image.tar"))
}

// imageArchive is an image as docker save writes it.
func imageArchive(name string, layer []byte) ([]byte, error) {
	sum := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Cmd": []string{"/bin/sleep", "1000000"}, "Env": []string{"PATH=/bin", "NAME=" + name}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal([]map[string]any{{
		"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return nil, err
	}
	var t tarball
	t.file("manifest.json", manifest)
	t.file("config.json", config)
	t.file("layer.tar", layer)
	return t.bytes()
}

// layer is a root file system of busybox and, unless nil, the test's app.
func layer(busybox, app []byte) ([]byte, error) {
	var t tarball
	for _, dir := range []string{"bin/", "proc/", "sys/", "dev/", "tmp/", "etc/"} {
		t.add(&tar.Header{Name: dir, Mode: 0o755, Typeflag: tar.TypeDir}, nil)
	}
	t.file("bin/busybox", busybox)
	for _, name := range applets {
		t.add(&tar.Header{Name: "bin/" + name, Linkname: "busybox", Typeflag: tar.TypeSymlink, Mode: 0o777}, nil)
	}
	if app != nil {
		t.file("bin/app", app)
	}
	return t.bytes()
}

// tarball is one being written; the first error is kept.
type tarball struct {
	buf bytes.Buffer
	w   *tar.Writer
	err error
}

func (t *tarball) file(name string, data []byte) {
	t.add(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data))}, data)
}

func (t *tarball) add(h *tar.Header, data []byte) {
	if t.w == nil {
		t.w = tar.NewWriter(&t.buf)
	}
	if t.err == nil {
		t.err = t.w.WriteHeader(h)
	}
	if t.err == nil {
		_, t.err = t.w.Write(data)
	}
}

func (t *tarball) bytes() ([]byte, error) {
	if t.err == nil {
		t.err = t.w.Close()
	}
	return t.buf.Bytes(), t.err
}
