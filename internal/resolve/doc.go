// SPDX-License-Identifier: Apache-2.0

// Package resolve turns what the kernel side sends into the events of the
// contract: it names the mechanism of a signal, shows senders from triggers,
// rebuilds ancestries, and puts containers and pods on processes.
package resolve
