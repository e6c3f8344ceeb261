// SPDX-License-Identifier: Apache-2.0

// Package deploy_test holds what is deployed against what it must be: the
// overlays are built and decoded strictly, the rules and the dashboard are parsed
// and every metric and label in them looked up among those that the agent
// exports, and systemd's and Prometheus' own tools look at the rest.
package deploy_test
