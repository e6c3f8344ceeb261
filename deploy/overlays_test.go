// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// manifests are the objects of one built kustomization.
type manifests struct {
	objects   []runtime.Object
	daemonSet *appsv1.DaemonSet
	role      *rbacv1.ClusterRole
	config    *corev1.ConfigMap
	// operators are the namespaces of what belongs to operators (PodMonitor).
	operators map[string]string
}

// build builds an overlay, with components beside it, as a user's own
// kustomization would, and decodes each object: an unknown or a doubled field is
// an error. What belongs to operators (PodMonitor) is not decoded.
func build(t *testing.T, overlay string, components ...string) manifests {
	t.Helper()
	fs := filesys.MakeFsOnDisk()
	dir := t.TempDir()
	text := "resources: [" + relative(t, dir, overlay) + "]\n"
	for i, c := range components {
		components[i] = relative(t, dir, c)
	}
	if len(components) > 0 {
		text += "components: [" + strings.Join(components, ", ") + "]\n"
	}
	if err := fs.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text)); err != nil {
		t.Fatal(err)
	}
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	built, err := krusty.MakeKustomizer(options).Run(fs, dir)
	if err != nil {
		t.Fatalf("%s: %v", overlay, err)
	}
	m := manifests{operators: map[string]string{}}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, r := range built.Resources() {
		if strings.HasSuffix(r.GetGvk().Group, "coreos.com") {
			m.operators[r.GetGvk().Kind] = r.GetNamespace()
			continue
		}
		yaml, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decoder.Decode(yaml, nil, nil)
		if err != nil {
			t.Fatalf("%s: %s: %v", overlay, r.CurId(), err)
		}
		m.add(object)
	}
	if m.daemonSet == nil || m.role == nil || m.config == nil {
		t.Fatalf("%s: DaemonSet, ClusterRole or ConfigMap is missing", overlay)
	}
	return m
}

func (m *manifests) add(object runtime.Object) {
	m.objects = append(m.objects, object)
	switch o := object.(type) {
	case *appsv1.DaemonSet:
		m.daemonSet = o
	case *rbacv1.ClusterRole:
		m.role = o
	case *corev1.ConfigMap:
		if _, ok := o.Data["agent.yaml"]; ok {
			m.config = o
		}
	}
}

func (m *manifests) agent() *corev1.Container { return &m.daemonSet.Spec.Template.Spec.Containers[0] }

func relative(t *testing.T, from, name string) string {
	t.Helper()
	here, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	// kustomize resolves the links of a temporary directory.
	if from, err = filepath.EvalSymlinks(from); err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(from, here)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

const (
	leastPrivilege = "overlays/least-privilege"
	privileged     = "overlays/privileged"
)

func TestLeastPrivilege(t *testing.T) {
	m := build(t, leastPrivilege)
	security := m.agent().SecurityContext
	if security.Privileged == nil || *security.Privileged || *security.AllowPrivilegeEscalation || !*security.ReadOnlyRootFilesystem {
		t.Error("privileged, may escalate, or writes to its root")
	}
	want := []corev1.Capability{"BPF", "DAC_READ_SEARCH", "PERFMON", "SYSLOG", "SYS_PTRACE"}
	if got := slices.Sorted(slices.Values(security.Capabilities.Add)); !slices.Equal(got, want) {
		t.Errorf("capabilities %v, want %v", got, want)
	}
	if !slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}) {
		t.Errorf("drops %v", security.Capabilities.Drop)
	}
	pod := m.daemonSet.Spec.Template.Spec.SecurityContext
	if pod.SELinuxOptions.Type != "spc_t" || pod.AppArmorProfile.Type != corev1.AppArmorProfileTypeUnconfined {
		t.Error("SELinux or AppArmor would hide other processes")
	}
	if m.mounts("bpffs") {
		t.Error("mounts bpffs without pinning anything")
	}
}

func TestPrivileged(t *testing.T) {
	m := build(t, privileged)
	if s := m.agent().SecurityContext; !*s.Privileged || s.Capabilities != nil {
		t.Error("not privileged")
	}
	if !m.mounts("bpffs") {
		t.Error("no bpffs: --pin has nowhere to go")
	}
}

// TestEveryOverlay is what holds for both.
func TestEveryOverlay(t *testing.T) {
	for _, overlay := range []string{leastPrivilege, privileged} {
		t.Run(filepath.Base(overlay), func(t *testing.T) {
			m := build(t, overlay)
			m.checkPod(t)
			m.checkMounts(t)
			m.checkRole(t)
		})
	}
}

func (m *manifests) checkPod(t *testing.T) {
	spec := m.daemonSet.Spec.Template.Spec
	if !spec.HostPID || spec.HostNetwork || spec.HostIPC {
		t.Error("hostPID, and no other namespace of the host, is what it needs")
	}
	if spec.PriorityClassName != "system-node-critical" || len(spec.Tolerations) != 1 || spec.Tolerations[0].Operator != corev1.TolerationOpExists {
		t.Error("some nodes would have no agent")
	}
	if m.daemonSet.Spec.UpdateStrategy.RollingUpdate.MaxUnavailable.String() != "10%" {
		t.Error("a rollout leaves more than a tenth of the nodes without an agent")
	}
	if !slices.ContainsFunc(m.agent().Env, func(e corev1.EnvVar) bool {
		return e.Name == "NODE_NAME" && e.ValueFrom != nil && e.ValueFrom.FieldRef.FieldPath == "spec.nodeName"
	}) {
		t.Error("NODE_NAME is not the node's")
	}
	r := m.agent().Resources
	if r.Requests.Memory().IsZero() || r.Requests.Cpu().IsZero() || r.Limits.Memory().IsZero() || !r.Limits.Cpu().IsZero() {
		t.Error("requests and a memory limit, and no CPU limit: a throttled reader loses events")
	}
	for name, p := range map[string]*corev1.Probe{"startup": m.agent().StartupProbe, "liveness": m.agent().LivenessProbe, "readiness": m.agent().ReadinessProbe} {
		want := "/healthz"
		if name == "readiness" {
			want = "/readyz"
		}
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Path != want || p.HTTPGet.Port.String() != "metrics" {
			t.Errorf("%s probe does not ask %s", name, want)
		}
	}
}

// checkMounts: the host's files are read-only, but for the postmortem directory,
// and nothing but that is created on the host.
func (m *manifests) checkMounts(t *testing.T) {
	writable := map[string]bool{"postmortem": true, "bpffs": true}
	for _, mount := range m.agent().VolumeMounts {
		if mount.ReadOnly == writable[mount.Name] {
			t.Errorf("%s: read-only %t", mount.Name, mount.ReadOnly)
		}
	}
	for _, v := range m.daemonSet.Spec.Template.Spec.Volumes {
		if v.HostPath == nil {
			continue
		}
		want := corev1.HostPathDirectory
		if v.Name == "postmortem" {
			want = corev1.HostPathDirectoryOrCreate
		}
		if v.HostPath.Type == nil || *v.HostPath.Type != want {
			t.Errorf("%s: type is not %s: the runtime would create it on the host", v.Name, want)
		}
	}
}

func (m *manifests) checkRole(t *testing.T) {
	allowed := map[string][]string{
		"pods":          {"get", "list", "watch"},
		"events":        {"get", "list", "watch", "create", "patch"},
		"namespaces":    {"get"},
		"nodes/metrics": {"get"},
		"nodes/pods":    {"get"},
	}
	for _, rule := range m.role.Rules {
		for _, resource := range rule.Resources {
			if !slices.Equal(rule.Verbs, allowed[resource]) || !slices.Equal(rule.APIGroups, []string{""}) {
				t.Errorf("%v of %v in %v, want %v", rule.Verbs, resource, rule.APIGroups, allowed[resource])
			}
			delete(allowed, resource)
		}
	}
	if len(allowed) > 0 {
		t.Errorf("not granted: %v", allowed)
	}
}

func (m *manifests) mounts(volume string) bool {
	return slices.ContainsFunc(m.agent().VolumeMounts, func(v corev1.VolumeMount) bool { return v.Name == volume })
}

// TestBefore130: API servers before 1.30 are reported by annotation, as they refuse
// the field.
func TestBefore130(t *testing.T) {
	m := build(t, leastPrivilege, "components/kubernetes-before-1.30")
	template := m.daemonSet.Spec.Template
	if p := template.Spec.SecurityContext; p.AppArmorProfile != nil || p.SELinuxOptions.Type != "spc_t" {
		t.Errorf("%+v", p)
	}
	if got := template.Annotations["container.apparmor.security.beta.kubernetes.io/agent"]; got != "unconfined" {
		t.Errorf("annotation %q", got)
	}
}

// TestNamespace: with the monitoring objects, all that has a namespace is in one:
// the PodMonitor selects pods of its own.
func TestNamespace(t *testing.T) {
	m := build(t, leastPrivilege, "monitoring")
	for id, namespace := range m.operators {
		if namespace != "sigtrace" {
			t.Errorf("%s is in namespace %q", id, namespace)
		}
	}
	if len(m.operators) != 2 {
		t.Errorf("of the Prometheus operator: %v", m.operators)
	}
}

// TestRuntimes: a component moves the mount to its runtime's directory.
func TestRuntimes(t *testing.T) {
	for component, directory := range map[string]string{"crio": "/run/crio", "k3s": "/run/k3s/containerd"} {
		for _, overlay := range []string{leastPrivilege, privileged} {
			m := build(t, overlay, "components/"+component)
			var found []string
			for _, v := range m.daemonSet.Spec.Template.Spec.Volumes {
				if v.Name == "runtime" {
					found = append(found, v.HostPath.Path)
				}
			}
			for _, v := range m.agent().VolumeMounts {
				if v.Name == "runtime" {
					found = append(found, v.MountPath)
				}
			}
			if !slices.Equal(found, []string{directory, directory}) {
				t.Errorf("%s with %s: volume and mount are %v, want %s", overlay, component, found, directory)
			}
			m.checkMounts(t)
		}
	}
}
