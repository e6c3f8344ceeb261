// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	component = "sigtrace"
	// messageMax is what events.k8s.io/v1 allows a note, which is the same field
	// (bytes).
	messageMax = 1024
	// nameMax is the length of an object's name that leaves room for the suffix.
	nameMax = 253 - 17
)

// objects are the Events that show a death: none, one, or for the node's own OOM
// two.
func (s *Sink) objects(d *event.Death) []*corev1.Event {
	if d.Process == nil {
		return nil
	}
	var list []*corev1.Event
	if r := reportOf(d); r != nil && inPod(d.Process) {
		list = append(list, s.object(d, r, podReference(d.Process)))
	}
	if d.Cause == event.CauseSystemOOM && s.o.Node != "" {
		list = append(list, s.object(d, d.Cause.Row().Report, nodeReference(s.o.Node)))
	}
	return list
}

func inPod(p *event.Process) bool {
	return p.Pod != nil && p.Pod.Name != "" && p.Pod.Namespace != "" && p.Pod.UID != ""
}

func podReference(p *event.Process) corev1.ObjectReference {
	r := corev1.ObjectReference{
		APIVersion: "v1", Kind: "Pod",
		Namespace: p.Pod.Namespace, Name: p.Pod.Name, UID: types.UID(p.Pod.UID),
	}
	if p.Container != nil && p.Container.Name != "" {
		r.FieldPath = "spec.containers{" + p.Container.Name + "}"
	}
	return r
}

// nodeReference is as kubelet's own: the name stands in the uid's place, and
// describe looks for both.
func nodeReference(node string) corev1.ObjectReference {
	return corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: node, UID: types.UID(node)}
}

func (s *Sink) object(d *event.Death, r *event.EventReport, about corev1.ObjectReference) *corev1.Event {
	namespace := about.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault // where describe node looks
	}
	at := metav1.NewTime(d.Time)
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: namespace, Name: name(about.Name, d.ID)},
		InvolvedObject: about,
		Reason:         r.Reason, Type: typeOf(r), Message: message(d),
		Source:         corev1.EventSource{Component: component, Host: s.o.Node},
		FirstTimestamp: at, LastTimestamp: at, Count: 1,
		ReportingController: component, ReportingInstance: s.o.Node,
	}
}

// name is the same for every revision of a death, and after an agent's restart:
// what has been reported is updated and not reported twice.
func name(about, id string) string {
	sum := sha256.Sum256([]byte(id))
	if len(about) > nameMax {
		about = strings.TrimRight(about[:nameMax], ".-")
	}
	return about + "." + hex.EncodeToString(sum[:8])
}

// adviceMax is up to which length a message also has a piece of advice, in characters:
// kubectl shows it in one line.
const adviceMax = 300

// message is the summary as a tenant may see it, and the first piece of advice where a
// tenant may see that and both fit.
func message(d *event.Death) string {
	summary := cmp.Or(d.TenantSummary, d.Summary)
	if len(d.Advice) > 0 && d.Advice[0].TenantSafe {
		with := summary + " " + d.Advice[0].Text
		if utf8.RuneCountInString(with) <= adviceMax {
			return with
		}
	}
	return cut(summary)
}

// cut shortens a text at a character's boundary.
func cut(text string) string {
	const more = "…"
	if len(text) <= messageMax {
		return text
	}
	end := messageMax - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
