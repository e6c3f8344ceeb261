// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// containerdConfig: its own directories, runc's state too; a network that is
// never used but makes the node ready; oom_score_adj below the parent's takes
// CAP_SYS_RESOURCE, which not every test machine has.
const containerdConfig = `version = 2
root = "%[1]s/containerd-root"
state = "%[1]s/containerd-state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "%[1]s/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "%[2]s"
  restrict_oom_score_adj = %[3]t
  stats_collect_period = 2
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "%[1]s/cni"
    conf_dir = "%[1]s/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "%[4]s"
    default_runtime_name = "runc"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    Root = "%[1]s/runc"
`

const noNetwork = `{"cniVersion": "0.4.0", "name": "none", "plugins": [{"type": "none"}]}`

func (b *Bed) startContainerd(ctx context.Context) error {
	if err := os.MkdirAll(b.path("cni"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(b.path("cni", "none.conflist"), []byte(noNetwork), 0o644); err != nil {
		return err
	}
	config := fmt.Sprintf(containerdConfig, b.Dir, image("pause"), !mayLowerOOMScore(), b.snapshotter())
	if err := os.WriteFile(b.path("containerd.toml"), []byte(config), 0o644); err != nil {
		return err
	}
	d, err := b.start("containerd", "--config", b.path("containerd.toml"))
	if err != nil {
		return err
	}
	return d.until(ctx, func(ctx context.Context) error {
		client, close, err := dialCRI(b.CRISocket)
		if err != nil {
			return err
		}
		defer close()
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err = client.Version(ctx, &cri.VersionRequest{})
		return err
	})
}

func dialCRI(socket string) (cri.RuntimeServiceClient, func(), error) {
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}
	return cri.NewRuntimeServiceClient(conn), func() { conn.Close() }, nil
}

// snapshotter is overlayfs where the directory's file system can be a layer of
// it; in a container it often cannot.
func (b *Bed) snapshotter() string {
	dir := b.path("overlay-probe")
	defer os.RemoveAll(dir)
	for _, d := range []string{"lower", "upper", "work", "merged"} {
		if os.MkdirAll(dir+"/"+d, 0o755) != nil {
			return "native"
		}
	}
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir)
	if unix.Mount("overlay", dir+"/merged", "overlay", 0, options) != nil {
		return "native"
	}
	_ = unix.Unmount(dir+"/merged", 0)
	return "overlayfs"
}

func mayLowerOOMScore() bool {
	var data [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if unix.Capget(&header, &data[0]) != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
}

// ctr runs containerd's own client.
func (b *Bed) ctr(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "ctr", append([]string{"-a", b.CRISocket, "-n", "k8s.io"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr %v: %w: %s", args, err, out)
	}
	return nil
}
