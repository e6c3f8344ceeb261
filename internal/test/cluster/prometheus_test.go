// SPDX-License-Identifier: Apache-2.0

//go:build cluster && agent

package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// prometheus is a real one that scrapes the agent and evaluates the rules that
// are deployed.
type prometheus struct {
	address, config string
	cmd             *exec.Cmd
	configure       func(t *testing.T, every string)
}

// scraping does what deploy/monitoring/podmonitor.yaml asks of the operator's:
// the metric's own namespace wins, the target's node is named.
const scraping = `global: {scrape_interval: %[4]s, evaluation_interval: %[4]s}
rule_files: [%[1]q]
scrape_configs:
  - job_name: sigtrace
    honor_labels: true
    static_configs: [{targets: [%[2]q], labels: {node: %[3]q}}]
`

func startPrometheus(t *testing.T, a *deployed) *prometheus {
	t.Helper()
	binary := os.Getenv("PROMETHEUS")
	if binary == "" {
		t.Fatal("PROMETHEUS names no program: run the tests by make test-kube-agent")
	}
	rules, err := filepath.Abs(filepath.Join(deployDir, "monitoring/rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p := &prometheus{address: a.bed.Address + ":9090", config: filepath.Join(t.TempDir(), "prometheus.yml")}
	p.configure = func(t *testing.T, every string) {
		t.Helper()
		if err := os.WriteFile(p.config, fmt.Appendf(nil, scraping, rules, a.metrics, a.bed.Node, every), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.configure(t, "1s")
	c := exec.Command(binary, "--config.file="+p.config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+p.address, "--log.level=warn")
	c.Stderr = os.Stderr
	c.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(unix.SIGTERM)
		_ = c.Wait()
	})
	eventually(t, "Prometheus has scraped the agent", func() bool {
		s, err := p.query(`up{job="sigtrace"} == 1`)
		return err == nil && len(s) == 1
	})
	p.cmd = c
	return p
}

// calm has it scrape as seldom as deployed ones do.
func (p *prometheus) calm(t *testing.T) {
	t.Helper()
	p.configure(t, "30s")
	if err := p.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// sample is one of an instant query.
type sample struct {
	labels map[string]string
	value  float64
}

func (p *prometheus) query(expr string) ([]sample, error) {
	r, err := http.Get("http://" + p.address + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  []any
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", expr, answer.Error)
	}
	var all []sample
	for _, s := range answer.Data.Result {
		value, err := strconv.ParseFloat(s.Value[1].(string), 64)
		if err != nil {
			return nil, err
		}
		all = append(all, sample{s.Metric, value})
	}
	return all, nil
}

// compare counts the deaths of kubectl logs by cause, and wants the same numbers
// of Prometheus; then it asks everything that the dashboard asks.
func (p *prometheus) compare(t *testing.T, a *deployed) {
	var want map[string]float64
	var got map[string]float64
	eventually(t, "Prometheus has counted what the log reports", func() bool {
		want, got = map[string]float64{}, map[string]float64{}
		for _, d := range of(a.allLogged(t), func(d death) bool { return d.Process.Pod != nil && d.Process.Pod.Namespace == namespace }) {
			if d.Revision == 1 {
				want[d.ID] = 1
			}
		}
		samples, err := p.query(fmt.Sprintf(`sigtrace_deaths_total{namespace=%q, node=%q}`, namespace, a.bed.Node))
		if err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for _, s := range samples {
			got[s.labels["cause"]] = s.value
			total += s.value
		}
		return total == float64(len(want))
	})
	final := map[string]float64{}
	last := map[string]death{}
	for _, d := range of(a.allLogged(t), func(d death) bool { return d.Process.Pod != nil && d.Process.Pod.Namespace == namespace }) {
		last[d.ID] = d
	}
	for _, d := range last {
		final[d.Cause]++
	}
	for cause := range final {
		if got[cause] != final[cause] {
			t.Errorf("Prometheus counts %v of %s, the log %v", got[cause], cause, final[cause])
		}
	}
	p.askDashboard(t)
	p.askAlerts(t)
}

// quiet are the panels that have nothing to show while all is well.
func quiet(title string) bool {
	return map[string]bool{"Hooks that are not attached": true, "Lost, missed, failed": true, "Events lost": true, "Node out of memory": true}[title]
}

func (p *prometheus) askDashboard(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(deployDir, "monitoring/dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$__rate_interval", "1m", "$__interval", "1m", "$__range", "1h", "$node", ".*", "$namespace", ".*", "$cause", ".*")
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			samples, err := p.query(variables.Replace(target.Expr))
			if err != nil {
				t.Errorf("%s: %v", panel.Title, err)
			} else if len(samples) == 0 && !quiet(panel.Title) {
				t.Errorf("%s shows nothing: %s", panel.Title, target.Expr)
			}
		}
	}
}

// askAlerts: what was done must have raised an alarm, and nothing is wrong with
// the agent.
func (p *prometheus) askAlerts(t *testing.T) {
	firing, err := p.query(`ALERTS{alertstate="firing"}`)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range firing {
		names[s.labels["alertname"]] = true
	}
	if !names["SigtraceForeignKill"] {
		t.Errorf("killed from the host, and no alarm: %v", names)
	}
	for _, wrong := range []string{"SigtraceAgentDown", "SigtraceEventsLost", "SigtraceHookMissing", "SigtraceLogWriteErrors"} {
		if names[wrong] {
			t.Errorf("%s is firing", wrong)
		}
	}
}
