// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

type ruleFile struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

type rule struct {
	Record      string            `json:"record,omitempty"`
	Alert       string            `json:"alert,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func readRules(t *testing.T) ruleFile {
	t.Helper()
	var f ruleFile
	readYAML(t, "monitoring/rules.yaml", &f)
	return f
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestPrometheusRule: the operator's object has the rules of the plain file.
func TestPrometheusRule(t *testing.T) {
	var object struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   map[string]string `json:"metadata"`
		Spec       ruleFile          `json:"spec"`
	}
	readYAML(t, "monitoring/prometheusrule.yaml", &object)
	if diff := cmp.Diff(readRules(t), object.Spec); diff != "" {
		t.Errorf("rules.yaml and prometheusrule.yaml differ:\n%s", diff)
	}
}

// TestRules: every metric and label of a rule is one that the agent exports, or
// that a rule before it records.
func TestRules(t *testing.T) {
	known := exported(t)
	causes := knownCauses()
	for _, group := range readRules(t).Groups {
		for _, r := range group.Rules {
			expr := parse(t, r.Expr)
			checkSelectors(t, r.Record+r.Alert, expr, known)
			checkCauses(t, r.Record+r.Alert, expr, causes)
			if r.Record != "" {
				known[r.Record] = grouping(expr)
			}
			for _, word := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(r.Annotations["summary"]+r.Annotations["description"]+r.Annotations["runbook_url"], -1) {
				if by := grouping(expr); by != nil && !slices.Contains(by, word[1]) {
					t.Errorf("%s: its annotation names the label %s, which %v has not", r.Alert, word[1], by)
				}
			}
		}
	}
}

// TestRunbooks: each alert about kills leads to the page of each cause that it can be
// about, and the page is there.
func TestRunbooks(t *testing.T) {
	const base = "https://github.com/sigtrace/sigtrace/blob/main/"
	alerts := 0
	for _, group := range readRules(t).Groups {
		for _, r := range group.Rules {
			if r.Alert == "" || group.Name != "sigtrace.kills" {
				continue
			}
			alerts++
			page, ok := strings.CutPrefix(r.Annotations["runbook_url"], base)
			if !ok {
				t.Errorf("%s: its runbook_url %q is no page of the repository", r.Alert, r.Annotations["runbook_url"])
				continue
			}
			for _, cause := range causesOf(r.Expr) {
				file := strings.ReplaceAll(page, "{{ $labels.cause }}", cause)
				if _, err := os.Stat("../" + file); err != nil {
					t.Errorf("%s: %v", r.Alert, err)
				}
			}
		}
	}
	if alerts < 5 {
		t.Errorf("there are %d alerts about kills only", alerts)
	}
}

// causesOf are the causes that an expression selects; one empty one where it selects
// none.
func causesOf(expr string) []string {
	var causes []string
	for _, m := range regexp.MustCompile(`cause=~?"([a-z_|]+)"`).FindAllStringSubmatch(expr, -1) {
		causes = append(causes, strings.Split(m[1], "|")...)
	}
	if causes == nil {
		return []string{""}
	}
	return causes
}

type dashboard struct {
	UID    string  `json:"uid"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct{ X, Y, W, H int }
	Targets []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
		RefID        string `json:"refId"`
	} `json:"targets"`
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	text, err := os.ReadFile("monitoring/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboard: every query parses and asks for what the agent exports, every
// legend has its label, no panel covers another, and every metric is shown.
func TestDashboard(t *testing.T) {
	known, shown := exported(t), map[string]bool{}
	d := readDashboard(t)
	ids := map[int]bool{}
	for i, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("panel id %d twice", p.ID)
		}
		ids[p.ID] = true
		for _, q := range d.Panels[:i] {
			if p.GridPos.X < q.GridPos.X+q.GridPos.W && q.GridPos.X < p.GridPos.X+p.GridPos.W &&
				p.GridPos.Y < q.GridPos.Y+q.GridPos.H && q.GridPos.Y < p.GridPos.Y+p.GridPos.H {
				t.Errorf("%q covers %q", p.Title, q.Title)
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q asks nothing", p.Title)
		}
		for _, target := range p.Targets {
			expr := parse(t, unvaried(target.Expr))
			for _, m := range checkSelectors(t, p.Title, expr, known) {
				shown[m] = true
			}
			for _, word := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				if !slices.Contains(grouping(expr), word[1]) {
					t.Errorf("%q: its legend names %s, which %s has not", p.Title, word[1], target.Expr)
				}
			}
		}
	}
	for metric := range known {
		if _, ok := sigtraceOf(metric); ok && !shown[metric] && !strings.Contains(metric, ":") && !strings.HasSuffix(metric, "_sum") && !strings.HasSuffix(metric, "_count") {
			t.Errorf("no panel shows %s", metric)
		}
	}
}

// unvaried puts values in the place of Grafana's variables.
func unvaried(expr string) string {
	return strings.NewReplacer("$__rate_interval", "2m", "$__interval", "1m", "$__range", "6h",
		"$node", ".*", "$namespace", ".*", "$cause", ".*").Replace(expr)
}

func parse(t *testing.T, text string) parser.Expr {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return expr
}

// checkSelectors returns the metrics that expr asks for. A scrape adds node, job
// and instance to each; up is Prometheus' own.
func checkSelectors(t *testing.T, where string, expr parser.Expr, known map[string][]string) []string {
	t.Helper()
	var metrics []string
	conditions := conditionsOf(expr)
	for _, selector := range selectors(expr) {
		metrics = append(metrics, selector.Name)
		if selector.Name == "up" {
			continue
		}
		have, ok := known[selector.Name]
		if !ok {
			t.Errorf("%s: the agent exports no %q", where, selector.Name)
			continue
		}
		for _, m := range selector.LabelMatchers {
			if m.Name != model.MetricNameLabel && m.Name != "node" && !slices.Contains(have, m.Name) {
				t.Errorf("%s: %s has no label %q, only %v", where, selector.Name, m.Name, have)
			}
		}
		for _, by := range grouping(expr) {
			if by != "node" && !slices.Contains(have, by) && !slices.Contains(conditions, selector) {
				t.Errorf("%s: grouped by %q, which %s has not", where, by, selector.Name)
			}
		}
	}
	return metrics
}

func selectors(expr parser.Expr) []*parser.VectorSelector {
	var found []*parser.VectorSelector
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			found = append(found, s)
		}
		return nil
	})
	return found
}

// conditionsOf are the selectors that only decide which samples are looked at:
// their labels are not in the result.
func conditionsOf(expr parser.Expr) []*parser.VectorSelector {
	var found []*parser.VectorSelector
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if b, ok := n.(*parser.BinaryExpr); ok && (b.Op == parser.LAND || b.Op == parser.LUNLESS) {
			found = append(found, selectors(b.RHS)...)
		}
		return nil
	})
	return found
}

// grouping is the labels that the outermost aggregation keeps; nil where there
// is none.
func grouping(expr parser.Expr) []string {
	var by []string
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if a, ok := n.(*parser.AggregateExpr); ok && by == nil {
			by = a.Grouping
		}
		return nil
	})
	return by
}

// checkCauses: a cause that a matcher names is one of the contract's.
func checkCauses(t *testing.T, where string, expr parser.Expr, causes []string) {
	for _, selector := range selectors(expr) {
		for _, m := range selector.LabelMatchers {
			if m.Name != "cause" {
				continue
			}
			for _, cause := range strings.Split(m.Value, "|") {
				if !slices.Contains(causes, cause) {
					t.Errorf("%s: there is no cause %q", where, cause)
				}
			}
		}
	}
}
