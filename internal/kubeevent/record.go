// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/sigtrace/sigtrace/internal/event"
)

// record shows one Event. It fails only where ctx ends.
func (s *Sink) record(ctx context.Context, d *event.Death, object *corev1.Event) error {
	key := object.Namespace + "/" + object.Name
	if before, ok := s.reported.get(key); ok {
		if before.revision >= d.Revision {
			return nil
		}
		s.reported.put(key, mark{revision: d.Revision, combined: before.combined})
		if before.combined {
			return nil // it stands for many
		}
		return s.revise(ctx, object)
	}
	result, err := s.correlator.EventCorrelate(object)
	if err != nil {
		s.o.Log.Debug("events are not combined", "error", err)
	}
	if result.Skip {
		s.limited.Add(1)
		// A later revision is not reported either.
		s.reported.put(key, mark{revision: d.Revision, combined: true})
		return nil
	}
	s.reported.put(key, mark{revision: d.Revision, combined: result.Event.Name != object.Name})
	if result.Patch != nil && result.Event.Count > 1 {
		return s.again(ctx, result.Event, result.Patch)
	}
	return s.create(ctx, result.Event)
}

// create makes an Event; one that is there already is this death's, reported by an
// agent before this one.
func (s *Sink) create(ctx context.Context, object *corev1.Event) error {
	return s.try(ctx, func(ctx context.Context) error {
		object.ResourceVersion = ""
		made, err := s.api.Create(ctx, object)
		if apierrors.IsAlreadyExists(err) {
			made, err = s.patch(ctx, object)
		}
		if err == nil {
			s.correlator.UpdateState(made)
		}
		return err
	})
}

// again raises the count of an Event that says the same.
func (s *Sink) again(ctx context.Context, object *corev1.Event, patch []byte) error {
	return s.try(ctx, func(ctx context.Context) error {
		made, err := s.api.Patch(ctx, object.Namespace, object.Name, patch)
		if apierrors.IsNotFound(err) { // it has expired
			object.ResourceVersion = ""
			made, err = s.api.Create(ctx, object)
		}
		if err == nil {
			s.correlator.UpdateState(made)
		}
		return err
	})
}

// revise puts what is known by now in the place of what was reported first.
func (s *Sink) revise(ctx context.Context, object *corev1.Event) error {
	return s.try(ctx, func(ctx context.Context) error {
		_, err := s.patch(ctx, object)
		if apierrors.IsNotFound(err) {
			_, err = s.api.Create(ctx, object)
		}
		return err
	})
}

func (s *Sink) patch(ctx context.Context, object *corev1.Event) (*corev1.Event, error) {
	body, err := json.Marshal(map[string]string{
		"reason": object.Reason, "type": object.Type, "message": object.Message,
	})
	if err != nil {
		return nil, fmt.Errorf("event's patch: %w", err)
	}
	return s.api.Patch(ctx, object.Namespace, object.Name, body)
}

// try goes on until the API server has answered. Its no is final; so is its
// silence once ctx has ended.
func (s *Sink) try(ctx context.Context, do func(context.Context) error) error {
	wait := s.o.Backoff
	for {
		err := do(ctx)
		if err == nil {
			s.sent.Add(1)
			s.note(nil)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if refused(err) {
			s.failed.Add(1)
			// A namespace that is being deleted takes no Events, and need not.
			if !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) && !apierrors.IsNotFound(err) {
				s.note(err)
			}
			return nil
		}
		s.retries.Add(1)
		s.note(err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, 32*s.o.Backoff)
	}
}

// refused shows an answer of the API server from its absence. Overload and a
// broken server pass, and so does a token that is being replaced.
func refused(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	return !apierrors.IsTooManyRequests(err) && !apierrors.IsServerTimeout(err) && !apierrors.IsTimeout(err) &&
		!apierrors.IsInternalError(err) && !apierrors.IsServiceUnavailable(err) && !apierrors.IsUnauthorized(err) &&
		status.Status().Code < 500
}
