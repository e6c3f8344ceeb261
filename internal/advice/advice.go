// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
)

// most is how many pieces of advice a record has: more are not read at 3 a.m.
const most = 3

// rules in the order of what to do first.
var rules = slices.Concat(memoryRules, kubernetesRules, stopRules, foreignRules, crashRules, exitRules, lossRules)

// For returns what to do about a death, the most important first; nil where no rule
// finds a figure in the record to rest on.
func For(d *event.Death) []event.Advice {
	if d.Process == nil {
		return nil
	}
	var list []event.Advice
	answered := map[topic]bool{}
	for _, r := range rules {
		if answered[r.topic] && r.topic != "" {
			continue
		}
		text, because := r.advise(d)
		if text == "" {
			continue
		}
		answered[r.topic] = true
		list = append(list, event.Advice{
			Text: text, Because: because, Doc: d.Cause.Doc(),
			TenantSafe: r.hostOnly == nil || !r.hostOnly(d),
		})
		if len(list) == most {
			break
		}
	}
	return list
}
