// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"io"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/metrics"
)

// names are the names that the first column of a table gives.
func names(t *testing.T, heading string) []string {
	t.Helper()
	rows := Table(heading)
	if len(rows) == 0 {
		t.Errorf("contract.md has no table below the heading %s", heading)
	}
	var all []string
	for _, r := range rows {
		all = append(all, r.Names...)
	}
	return all
}

// hold compares what the code has with what the page says.
func hold(t *testing.T, heading string, code []string) {
	t.Helper()
	page := names(t, heading)
	for _, c := range code {
		if !slices.Contains(page, c) {
			t.Errorf("%s: the code has %s, contract.md does not: describe it there", heading, c)
		}
	}
	for i, p := range page {
		if !slices.Contains(code, p) {
			t.Errorf("%s: contract.md has %s, the code does not: nothing in the contract may be dropped", heading, p)
		}
		if slices.Contains(page[:i], p) {
			t.Errorf("%s: contract.md has %s twice", heading, p)
		}
	}
	for _, kind := range []string{"values of ", "fields of "} {
		for _, p := range Planned(kind + heading) {
			if slices.Contains(code, p) {
				t.Errorf("%s: the code has %s: it is not planned any more", heading, p)
			}
		}
	}
}

func TestClosedLists(t *testing.T) {
	values, err := Values("../internal/event")
	if err != nil {
		t.Fatal(err)
	}
	_, lists := Types()
	for _, name := range []string{"Cause", "Confidence", "Relation", "Result", "Type", "Via"} {
		if lists[name] == nil {
			t.Errorf("%s is not a list of the output any more, or is not found", name)
		}
	}
	for name := range lists {
		hold(t, "`"+name+"`", values[name])
	}
}

// event.Causes and event.Types are what --cause and --type accept.
func TestAcceptedValues(t *testing.T) {
	var causes, types []string
	for _, c := range event.Causes() {
		causes = append(causes, string(c))
	}
	for _, c := range event.Types() {
		types = append(types, string(c))
	}
	hold(t, "`Cause`", causes)
	hold(t, "`Type`", types)
	if got := len(Events()); got != len(types) {
		t.Errorf("Events has %d types of events, the code %d", got, len(types))
	}
}

func TestFields(t *testing.T) {
	structs, _ := Types()
	if len(structs) < 15 {
		t.Errorf("only %d structs were found", len(structs))
	}
	for name, typ := range structs {
		hold(t, "`"+name+"`", Fields(typ))
	}
}

func TestMetrics(t *testing.T) {
	one := func() map[string]uint64 { return map[string]uint64{"x": 1} }
	m := metrics.New(metrics.Options{Recursion: one, EvidenceErrors: one, KubeEvents: one})
	for kind, e := range Events() {
		e.Common().Type = kind
		if s, ok := e.(*event.Status); ok {
			s.Hooks = map[string]string{"x": "attached"}
		}
		if err := m.Print(e); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	m.Handler(metrics.Health{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^# TYPE (sigtrace_\w+) (\w+)$`).FindAllSubmatch(body, -1)
	var code []string
	for _, k := range kinds {
		name := string(k[1])
		if string(k[2]) == "counter" {
			name += "_total"
		}
		code = append(code, name)
		checkLabels(t, string(body), name)
	}
	hold(t, "Metrics", code)
	for _, p := range Planned("metrics") {
		if slices.Contains(code, p) {
			t.Errorf("the code has the metric %s: it is not planned any more", p)
		}
	}
}

// checkLabels compares the labels of the first sample with the page's.
func checkLabels(t *testing.T, body, name string) {
	t.Helper()
	sample := regexp.MustCompile(`(?m)^` + name + `(?:_bucket)?(?:\{(.*)\})? `).FindStringSubmatch(body)
	if sample == nil {
		t.Errorf("%s has no sample", name)
		return
	}
	var code []string
	for _, l := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(sample[1], -1) {
		if l[1] != "le" {
			code = append(code, l[1])
		}
	}
	for _, r := range Table("Metrics") {
		if !slices.Contains(r.Names, name) {
			continue
		}
		page := Words(r.Cells[1])
		slices.Sort(code)
		slices.Sort(page)
		if !slices.Equal(code, page) {
			t.Errorf("%s has the labels %v, contract.md says %v", name, code, page)
		}
	}
}

// The table of causes is the code's: the same order, the same meaning.
func TestCauses(t *testing.T) {
	rows := Table("`Cause`")
	if len(rows) != len(event.CauseRows()) {
		t.Fatalf("contract.md has %d causes, the code %d", len(rows), len(event.CauseRows()))
	}
	for i, r := range event.CauseRows() {
		page := rows[i]
		if want := []string{"`" + string(r.Cause) + "`", r.Meaning}; !slices.Equal(page.Cells, want) {
			t.Errorf("contract.md has the cause %q, the code %q", page.Cells, want)
		}
	}
}

func TestEventReasons(t *testing.T) {
	var reasons []string
	for _, row := range event.CauseRows() {
		if row.Report != nil && !slices.Contains(reasons, row.Report.Reason) {
			reasons = append(reasons, row.Report.Reason)
		}
	}
	hold(t, "Kubernetes Events", reasons)
}

// Every row of the table of what is planned says of what.
func TestPlannedRows(t *testing.T) {
	structs, lists := Types()
	for _, r := range Table("Planned") {
		kind, of, _ := strings.Cut(strings.ReplaceAll(r.Cells[0], "`", ""), " of ")
		known := map[string]bool{
			"commands": of == "", "metrics": of == "", "flags": of != "",
			"values": lists[of] != nil, "fields": structs[of] != nil,
		}
		if !known[kind] || len(Words(r.Cells[1])) == 0 {
			t.Errorf("contract.md, Planned: nobody checks the row %q", r.Cells[0])
		}
	}
}
