// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// runtime is a client of the bed's containerd, as crictl is one.
func (s *stage) runtime() cri.RuntimeServiceClient {
	s.Helper()
	conn, err := grpc.NewClient("unix://"+s.bed.CRISocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	return cri.NewRuntimeServiceClient(conn)
}

// stopByHand is crictl stop.
func (s *stage) stopByHand(v victim, seconds int64) {
	s.Helper()
	if _, err := s.runtime().StopContainer(context.Background(), &cri.StopContainerRequest{ContainerId: v.container, Timeout: seconds}); err != nil {
		s.Fatal(err)
	}
}

// pid is that of a container's init.
func (s *stage) pid(v victim) int {
	s.Helper()
	r, err := s.runtime().ContainerStatus(context.Background(), &cri.ContainerStatusRequest{ContainerId: v.container, Verbose: true})
	if err != nil {
		s.Fatal(err)
	}
	return s.pidIn(r.Info["info"])
}

// sandboxPID is that of the pod's pause process.
func (s *stage) sandboxPID() int {
	s.Helper()
	ctx := context.Background()
	filter := &cri.PodSandboxFilter{LabelSelector: map[string]string{"io.kubernetes.pod.uid": s.uid()}}
	list, err := s.runtime().ListPodSandbox(ctx, &cri.ListPodSandboxRequest{Filter: filter})
	if err != nil || len(list.Items) != 1 {
		s.Fatalf("one sandbox: %v, %v", list.GetItems(), err)
	}
	r, err := s.runtime().PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: list.Items[0].Id, Verbose: true})
	if err != nil {
		s.Fatal(err)
	}
	return s.pidIn(r.Info["info"])
}

func (s *stage) pidIn(info string) int {
	s.Helper()
	var said struct{ PID int }
	if err := json.Unmarshal([]byte(info), &said); err != nil || said.PID == 0 {
		s.Fatalf("no pid in %s: %v", info, err)
	}
	return said.PID
}

// parent is a process's parent, of a container's init its shim.
func (s *stage) parent(pid int) int {
	s.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		s.Fatal(err)
	}
	var state string
	var parent int
	_, after, _ := strings.Cut(string(stat), ") ")
	if _, err := fmt.Sscan(after, &state, &parent); err != nil {
		s.Fatal(err)
	}
	return parent
}
