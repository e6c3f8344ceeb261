// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportWritesOnePage(t *testing.T) {
	dir := fromNode(t)
	page := filepath.Join(t.TempDir(), "page.html")
	var out, errs bytes.Buffer
	if err := run(t.Context(), []string{"report", "--log-dir", dir, "-o", page}, &out, &errs); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"report", "--log-dir", dir}, &out, &errs); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"the file": string(b), "stdout": out.String()} {
		if !strings.HasPrefix(text, "<!DOCTYPE html>") || !strings.Contains(text, "container app of shop/web-0 hit its limit.") || strings.Contains(text, "hunter2") {
			t.Errorf("%s is %.200s…", name, text)
		}
	}
}
