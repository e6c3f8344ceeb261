// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"strconv"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for input, want := range map[string]struct {
		code         int
		signal, name string
		action       string
		folded       bool
		says         string
	}{
		"0":       {0, "", "EX_OK", "", false, "normal end"},
		"1":       {1, "", "", "", false, "general error"},
		"9":       {9, "", "", "", false, "shows as 137"},
		"78":      {78, "", "EX_CONFIG", "", false, "configuration"},
		"124":     {124, "", "", "", false, "timeout"},
		"127":     {127, "", "", "", false, "not found"},
		"130":     {130, "SIGINT", "", "Term", false, "128 + 2"},
		"137":     {137, "SIGKILL", "", "Term", false, "128 + 9"},
		"139":     {139, "SIGSEGV", "", "Core", false, "128 + 11"},
		"145":     {145, "SIGCHLD", "", "Ign", false, "ignored by default"},
		"255":     {255, "", "", "", false, "general error"},
		"-1":      {255, "", "", "", true, "general error"},
		"256":     {0, "", "EX_OK", "", true, "normal end"},
		"-256":    {0, "", "EX_OK", "", true, "normal end"},
		"393":     {137, "SIGKILL", "", "Term", true, "128 + 9"},
		"-119":    {137, "SIGKILL", "", "Term", true, "128 + 9"},
		"SIGKILL": {137, "SIGKILL", "", "Term", false, "128 + 9"},
		"kill":    {137, "SIGKILL", "", "Term", false, "128 + 9"},
		"term":    {143, "SIGTERM", "", "Term", false, "128 + 15"},
		"SIGSTOP": {147, "SIGSTOP", "", "Stop", false, "nothing dies"},
		"200":     {200, "", "", "", false, "code of its own"},
	} {
		m, err := Of(input)
		if err != nil {
			t.Errorf("%s: %v", input, err)
			continue
		}
		if m.Code != want.code || m.Signal != want.signal || m.Name != want.name || m.DefaultAction != want.action ||
			(m.Folded != "") != want.folded || !strings.Contains(m.Meaning, want.says) {
			t.Errorf("%s: %+v", input, m)
		}
	}
	for _, bad := range []string{"", "SIGNOPE", "1.5", "99999999999999999999"} {
		if m, err := Of(bad); err == nil {
			t.Errorf("%q is explained: %+v", bad, m)
		}
	}
}

func TestFold(t *testing.T) {
	for n, want := range map[int64]int{0: 0, 255: 255, 256: 0, 257: 1, -1: 255, -255: 1, -256: 0, -257: 255} {
		if got := Fold(n); got != want {
			t.Errorf("Fold(%d) = %d, want %d", n, got, want)
		}
	}
}

// Every code and signal says what to look at next, but for a normal end.
func TestThereIsAlwaysANextStep(t *testing.T) {
	for n := 1; n < 256; n++ {
		m, err := Of(strconv.Itoa(n))
		if err != nil || len(m.LookAt) == 0 || m.Meaning == "" {
			t.Errorf("%d: %+v, %v", n, m, err)
		}
	}
}
