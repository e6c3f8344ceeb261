// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
)

// exported is every metric of the contract with its labels.
func exported(*testing.T) map[string][]string {
	return map[string][]string{
		"sigtrace_deaths_total":               {"cause", "namespace"},
		"sigtrace_signals_total":              {"signal", "via"},
		"sigtrace_oom_kills_total":            {"scope", "limit_level"},
		"sigtrace_events_total":               {"type"},
		"sigtrace_events_lost_total":          {"lane", "reason"},
		"sigtrace_bpf_recursion_misses_total": {"program"},
		"sigtrace_hook_attached":              {"hook"},
		"sigtrace_verdict_seconds_bucket":     {"le"},
		"sigtrace_verdict_seconds_sum":        nil,
		"sigtrace_verdict_seconds_count":      nil,
		"sigtrace_evidence_errors_total":      {"source"},
		"sigtrace_log_write_errors_total":     nil,
		"sigtrace_build_info":                 {"version", "commit", "go_version"},
	}
}

// sigtraceOf cuts the prefix off a metric of sigtrace's own.
func sigtraceOf(metric string) (string, bool) { return strings.CutPrefix(metric, "sigtrace_") }

func knownCauses() []string {
	var names []string
	for _, c := range event.Causes() {
		names = append(names, string(c))
	}
	return names
}
