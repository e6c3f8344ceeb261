package probe

import (
	"errors"
	"github.com/cilium/ebpf"
	"os"
	"testing"
)

func TestLoad(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for _, raw := range []bool{false, true} {
		p, err := Load(Config{Raw: raw, TargetCgroups: true, MemoryV1: true})
		var ve *ebpf.VerifierError
		if errors.As(err, &ve) {
			s := ve.Log
			if len(s) > 40 {
				s = s[len(s)-40:]
			}
			for _, l := range s {
				t.Log(l)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		for n, pr := range p.programs {
			i, _ := pr.Info()
			c, _ := i.VerifiedInstructions()
			t.Log(n, c)
		}
		t.Log(p.Hooks())
		if err := p.Seed(); err != nil {
			t.Error(err)
		}
		p.Close()
	}
}
