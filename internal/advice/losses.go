// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"github.com/sigtrace/sigtrace/internal/event"
)

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
