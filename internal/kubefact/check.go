// SPDX-License-Identifier: Apache-2.0

package kubefact

import "errors"

// CheckDecoded returns an error if a fact that was read from a file lacks what
// every fact of its kind has; see event.CheckDecoded.
func (f *Fact) CheckDecoded() error {
	if f.Kind == Pod && f.Settings == nil {
		return errors.New("settings of a pod are missing")
	}
	if f.Kind == Requested && f.Requester == nil {
		return errors.New("who had a pod deleted is missing")
	}
	return nil
}
