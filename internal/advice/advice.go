// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
)

// most is how many pieces of advice a record has: more are not read at 3 a.m.
const most = 3

// rule gives one piece of advice.
type rule struct {
	name string
	// topic: of the rules on one topic the first that applies speaks.
	topic topic
	// rests are the fields of the record, as paths in its JSON ("*" is each item of a
	// list), without any of which the rule says nothing.
	rests []string
	// hostOnly reports that the advice names what a tenant may not see: processes,
	// units and logins of the host, other tenants' processes. Nil: it never does.
	hostOnly func(*event.Death) bool
	// advise returns a sentence that says what to do and one with the figure that it
	// rests on; both empty where the rule does not apply.
	advise func(*event.Death) (text, because string)
}

// topic is a question that a record answers once.
type topic string

const (
	topicMemory topic = "what filled the memory"
	topicLimit  topic = "which limit"
	topicStop   topic = "why the stop took long"
	topicReport topic = "what Kubernetes reports"
	topicWho    topic = "who did it"
	topicCrash  topic = "what crashed"
	topicCore   topic = "the core dump"
	topicExit   topic = "its exit code"
	topicProbe  topic = "the probe"
)

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

func always(*event.Death) bool { return true }

// lossRules are about sigtrace itself.
var lossRules = []rule{{
	name: "events_dropped", rests: []string{"events_lost"},
	advise: func(d *event.Death) (string, string) {
		if d.EventsLost == 0 {
			return "", ""
		}
		return "Name a target (--pod, --namespace, --cgroup) to have fewer events, and see sigtrace_events_lost_total for where they were dropped.",
			count(d.EventsLost, "event") + " were dropped in the time that this verdict rests on."
	},
}}
