// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"crypto/sha256"
	"encoding/hex"
)

// ObjectHash identifies the compiled BPF objects in this binary.
func ObjectHash() string {
	h := sha256.New()
	h.Write(_TypedBytes)
	h.Write(_LoopBytes)
	h.Write(_RawBytes)
	return hex.EncodeToString(h.Sum(nil))[:16]
}
