// SPDX-License-Identifier: Apache-2.0

package kubefact

import "testing"

func TestCheckDecoded(t *testing.T) {
	for _, c := range []struct {
		fact Fact
		bad  bool
	}{
		{Fact{Kind: Pod}, true},
		{Fact{Kind: Pod, Settings: &PodSettings{}}, false},
		{Fact{Kind: ProbeResults}, false},
	} {
		if err := c.fact.CheckDecoded(); (err != nil) != c.bad {
			t.Errorf("%+v: %v", c.fact, err)
		}
	}
}
