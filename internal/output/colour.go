// SPDX-License-Identifier: Apache-2.0

package output

// palette colours whole lines; without colours it leaves them as they are.
type palette struct{ on bool }

func newPalette(on bool) palette { return palette{on} }

func (p palette) paint(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) bad(s string) string  { return p.paint("31", s) }
func (p palette) loud(s string) string { return p.paint("1;33", s) }
func (p palette) dim(s string) string  { return p.paint("2", s) }
func (p palette) bold(s string) string { return p.paint("1", s) }
