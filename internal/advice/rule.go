// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"github.com/sigtrace/sigtrace/internal/event"
)

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

func always(*event.Death) bool { return true }
