// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
)

func (d *decoder) header() header {
	h := header{kind: d.u8()}
	d.skip(1) // the lane
	h.generation = d.u16()
	h.size = d.u32()
	h.boottime = d.u64()
	return h
}

// Decode turns one event off the wire into *Signal, *Deliver, *Proc,
// *Chain, *OOM, *Exit or *Cgroup.
func Decode(b []byte) (any, error) {
	d := decoder{b: b}
	h := d.header()
	if d.short || int(h.size) > len(b) || h.size < headerSize {
		return nil, ErrShort
	}
	d.b = b[:h.size]
	var e any
	switch h.kind {
	case kindSignal:
		e = d.signal(h)
	case kindDeliver:
		e = d.deliver(h.boottime)
	case kindProc:
		e = d.proc(h.boottime)
	case kindChain:
		e = d.chain(h.boottime)
	case kindOOM:
		e = d.oom(h.boottime)
	case kindExit:
		e = d.exitAndCaller(h.boottime)
	case kindCgroup:
		e = d.cgroup()
	default:
		return nil, fmt.Errorf("unknown kind of event: %d", h.kind)
	}
	if d.short {
		return nil, ErrShort
	}
	return e, nil
}
