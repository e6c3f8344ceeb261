// SPDX-License-Identifier: Apache-2.0

package wire

// Attempts is what agents have written into a kept death about its record: one
// that ended while it made the record must not end the next one the same way.
type Attempts struct {
	// Begun counts the times that the rules began to run for it and did not come
	// to their end.
	Begun uint8
	// Made counts the times that its record was made and, as it is still kept,
	// not written.
	Made uint8
}

const (
	// madeMax is how many times a record is made in full that never gets
	// written: agents that are killed before they sync are no fault of the
	// record's, but one that ends its writer each time is.
	madeMax = 3
	// triedMax is how many times the making of a record may end the agent: once in
	// full, and once in the plainest form.
	triedMax = 2
)

// Plain reports whether the record is to be made without the rules.
func (a Attempts) Plain() bool { return a.Begun > 0 || a.Made >= madeMax }

// Spent reports whether no record is to be made any more.
func (a Attempts) Spent() bool { return a.Begun >= triedMax }

// Begin notes that the record is about to be made.
func (a *Attempts) Begin(plain bool) {
	a.Begun = 1
	if plain {
		a.Begun = triedMax
	}
}

// End notes that the rules came to their end, and whether a record was made.
func (a *Attempts) End(made bool) {
	a.Begun = 0
	if made && a.Made < 255 {
		a.Made++
	}
}
