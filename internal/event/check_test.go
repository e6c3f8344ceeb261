// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCheckDecoded(t *testing.T) {
	const process = `{"pid":1,"comm":"a"}`
	for _, c := range []struct {
		into Event
		text string
		want string // in the error; "" is none
	}{
		{&Signal{}, `{"signal_number":9,"target":` + process + `}`, ""},
		{&Signal{}, `{"signal_number":9}`, "target is missing"},
		{&Signal{}, `{"target":` + process + `}`, "signal_number 0"},
		{&Signal{}, `{"signal_number":65,"target":` + process + `}`, "signal_number 65"},
		{&Signal{}, `{"signal_number":9,"target":` + process + `,"sender":{"ancestors":[null]}}`, "sender: an ancestor is null"},
		{&Signal{}, `{"signal_number":9,"target":{"present_ancestors":[{},null]}}`, "target: an ancestor is null"},
		{&Signal{}, `{"signal_number":9,"target":` + strings.Repeat(`{"present_parent":`, 9) + "{}" + strings.Repeat("}", 10), "nested too deep"},
		{&OOM{}, `{"victim":` + process + `}`, ""},
		{&OOM{}, `{}`, "victim is missing"},
		{&OOM{}, `{"victim":{}}`, "victim is missing"},
		{&OOM{}, `{"victim":{"oom_score_adj":3}}`, "victim is missing"},
		{&Exit{}, `{"process":` + process + `}`, ""},
		{&Exit{}, `{}`, "process is missing"},
		{&Exit{}, `{"process":{},"detail":{"signal_number":-1}}`, "signal_number -1"},
		{&Death{}, `{"process":` + process + `,"chain":[{"what":"x"}],"signals":[{}]}`, ""},
		{&Death{}, `{"process":null}`, "process is missing"},
		{&Death{}, `{"actor":{"ancestors":[null]}}`, "actor: an ancestor is null"},
		{&Death{}, `{"chain":[{"process":{"ancestors":[null]}}]}`, "chain: an ancestor is null"},
		{&Death{}, `{"signals":[{"trigger":{"ancestors":[null]}}]}`, "signals: an ancestor is null"},
		{&Death{}, `{"oom":{"victim":{}}}`, "victim is missing"},
		{&Stuck{}, `{"target":` + process + `,"signal":{"signal_number":9,"target":` + process + `}}`, ""},
		{&Stuck{}, `{"target":` + process + `}`, "signal is missing"},
		{&Stuck{}, `{"signal":{"signal_number":9,"target":` + process + `}}`, "target is missing"},
		{&Lost{}, `{}`, ""},
	} {
		if err := json.Unmarshal([]byte(c.text), c.into); err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		err := CheckDecoded(c.into)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T %s: %v, want %q", c.into, c.text, err, c.want)
		}
	}
}
