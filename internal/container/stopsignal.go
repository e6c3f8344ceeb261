// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"encoding/json"
	"strings"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/sigtrace/sigtrace/internal/signal"
)

// defaultStopSignal is every runtime's, where neither image nor pod says
// otherwise.
const defaultStopSignal = "SIGTERM"

// stopSignal reads what a runtime shows: a name with or without SIG, or a
// number; nothing is the default.
func stopSignal(reported string) string {
	if reported == "" {
		return defaultStopSignal
	}
	n, err := signal.Parse(reported)
	if err != nil {
		return "" // the runtime would not know it either
	}
	return signal.Name(n)
}

// stopSignalImages bounds what is remembered of images; a node runs some
// hundred.
const stopSignalImages = 512

// stopSignal of a container: its status shows it from CRI 1.33 on (containerd
// 2.1, CRI-O 1.33), else its image's configuration does.
func (c *criConn) stopSignal(ctx context.Context, s *runtimeapi.ContainerStatus) string {
	if reported := s.GetStopSignal(); reported != runtimeapi.Signal_SIGNAL_RUNTIME_DEFAULT {
		return stopSignal(criSignal(reported))
	}
	image := s.GetImageRef()
	if image == "" {
		image = s.GetImage().GetImage()
	}
	c.mu.Lock()
	known, ok := c.stops.get(image)
	c.mu.Unlock()
	if ok || image == "" {
		return known
	}
	status, err := c.images.ImageStatus(ctx, &runtimeapi.ImageStatusRequest{Image: &runtimeapi.ImageSpec{Image: image}, Verbose: true})
	if err != nil || status.GetImage() == nil {
		return "" // the image may be gone; nothing is remembered
	}
	known = imageStopSignal(status.GetInfo())
	c.mu.Lock()
	c.stops.put(image, known)
	c.mu.Unlock()
	return known
}

// criSignal is the name of one of CRI's signals: SIGNAL_SIGRTMINPLUS3 is
// SIGRTMIN+3.
func criSignal(s runtimeapi.Signal) string {
	name := strings.TrimPrefix(s.String(), "SIGNAL_")
	return strings.NewReplacer("PLUS", "+", "MINUS", "-").Replace(name)
}

// imageStopSignal reads the JSON under "info" of a verbose image status, as
// containerd and CRI-O have it: the image's own configuration.
func imageStopSignal(info map[string]string) string {
	var verbose struct {
		ImageSpec *struct {
			Config struct {
				StopSignal string `json:"StopSignal"`
			} `json:"config"`
		} `json:"imageSpec"`
	}
	if err := json.Unmarshal([]byte(info["info"]), &verbose); err != nil || verbose.ImageSpec == nil {
		return ""
	}
	return stopSignal(verbose.ImageSpec.Config.StopSignal)
}
