// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/sigtrace/sigtrace/internal/container"
)

// KernelSymbols is the name of the kernel's functions among the sources that are
// checked.
const KernelSymbols = "kernel symbols"

// kubeCheckTimeout is how long a check waits for Kubernetes' sources to answer.
const kubeCheckTimeout = 3 * time.Second

// CheckSources asks every source and returns what each says of itself: connected, or
// why not.
func (s *Session) CheckSources(ctx context.Context) map[string]string {
	_ = s.dir.Refresh(ctx) // what failed stands in States
	all := s.States()
	ctx, cancel := context.WithTimeout(ctx, kubeCheckTimeout)
	defer cancel()
	maps.Copy(all, s.kube.Check(ctx))
	all[KernelSymbols] = container.Connected
	if _, err := s.symbols(); err != nil {
		all[KernelSymbols] = err.Error()
	}
	return all
}

// CheckSources asks the sources that need no session, for where none can be opened.
func CheckSources(ctx context.Context, c Sources, node string) (map[string]string, error) {
	found, notes, err := c.discover(ctx)
	if err != nil {
		return nil, err
	}
	dir := container.NewDirectory(slog.New(slog.DiscardHandler), found...)
	defer dir.Close()
	_ = dir.Refresh(ctx)
	all := dir.Sources()
	maps.Copy(all, notes)
	ctx, cancel := context.WithTimeout(ctx, kubeCheckTimeout)
	defer cancel()
	maps.Copy(all, c.Kubernetes.open(node).Check(ctx))
	return all, nil
}
