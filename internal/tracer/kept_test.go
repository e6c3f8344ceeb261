// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"testing"
	"unsafe"

	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// The attempts lie in a padding that the kernel side zeroes, and touch nothing else:
// pins of agents that knew nothing of them stay readable, both ways.
func TestAttemptsLieInThePadding(t *testing.T) {
	value := make([]byte, unsafe.Sizeof(typedKeptDeath{}))
	if err := wire.ChangeAttempts(value, func(a *wire.Attempts) { a.Begun, a.Made = 255, 255 }); err != nil {
		t.Fatal(err)
	}
	d := (*typedKeptDeath)(unsafe.Pointer(&value[0]))
	if d.Pad != 0xffff {
		t.Errorf("the padding is %#x", d.Pad)
	}
	d.Pad = 0
	for at, b := range value {
		if b != 0 {
			t.Errorf("byte %d is %#x", at, b)
		}
	}
	if err := wire.ChangeAttempts(value[:400], func(*wire.Attempts) {}); err == nil {
		t.Error("a value that is too short is changed")
	}
}
