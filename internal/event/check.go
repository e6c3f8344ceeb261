// SPDX-License-Identifier: Apache-2.0

package event

import (
	"errors"
	"fmt"
)

// What sigtrace makes itself has all its parts. What is read from a file may
// have been cut, merged or edited by anybody: its readers check it here, once,
// so that verdicts, printers and reports need not doubt each pointer.

const (
	// signalNumberMax is _NSIG of include/uapi/asm-generic/signal.h.
	signalNumberMax = 64
	// nestedMax bounds how deep processes name other processes: an actor has
	// ancestors, and an ancestor a present parent.
	nestedMax = 4
	// ancestorsMax bounds a list of ancestors; the kernel side sends 40.
	ancestorsMax = 256
)

// CheckDecoded returns an error if an event that was read from a file lacks what
// every event of its type has, or holds a number that cannot be. Its message
// names the field.
func CheckDecoded(e Event) error {
	switch e := e.(type) {
	case *Signal:
		return checkSignal(e)
	case *OOM:
		return checkOOM(e)
	case *Exit:
		return checkExit(e)
	case *Death:
		return checkDeath(e)
	case *Stuck:
		return checkStuck(e)
	}
	return nil
}

func checkSignal(s *Signal) error {
	if s.SignalNumber < 1 || s.SignalNumber > signalNumberMax {
		return fmt.Errorf("signal_number %d is not a signal", s.SignalNumber)
	}
	return errors.Join(required("target", s.Target), optional("sender", s.Sender), optional("trigger", s.Trigger))
}

func checkOOM(o *OOM) error {
	if o.Victim == nil {
		return missing("victim")
	}
	return errors.Join(required("victim", o.Victim.Process), optional("trigger", o.Trigger))
}

func checkExit(x *Exit) error {
	if x.SignalNumber < 0 || x.SignalNumber > signalNumberMax {
		return fmt.Errorf("signal_number %d is not a signal", x.SignalNumber)
	}
	return required("process", x.Process)
}

func checkDeath(d *Death) error {
	errs := []error{required("process", d.Process), optional("actor", d.Actor)}
	for _, h := range d.Chain {
		errs = append(errs, optional("chain", h.Process))
	}
	for _, s := range d.Signals {
		errs = append(errs, optional("signals", s.Sender), optional("signals", s.Trigger))
	}
	if d.OOM != nil {
		errs = append(errs, checkOOM(d.OOM))
	}
	return errors.Join(errs...)
}

func checkStuck(s *Stuck) error {
	if s.Signal == nil {
		return missing("signal")
	}
	return errors.Join(required("target", s.Target), checkSignal(s.Signal))
}

func missing(field string) error { return fmt.Errorf("%s is missing", field) }

func required(field string, p *Process) error {
	if p == nil {
		return missing(field)
	}
	return optional(field, p)
}

func optional(field string, p *Process) error {
	if err := p.check(nestedMax); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

// check looks at a process and at those that it names; nil is none.
func (p *Process) check(depth int) error {
	if p == nil {
		return nil
	}
	if depth == 0 {
		return errors.New("processes are nested too deep")
	}
	if err := errors.Join(p.PresentParent.check(depth-1), p.Tracer.check(depth-1)); err != nil {
		return err
	}
	for _, list := range [][]*Process{p.Ancestors, p.PresentAncestors} {
		if len(list) > ancestorsMax {
			return fmt.Errorf("%d ancestors are too many", len(list))
		}
		for _, a := range list {
			if a == nil {
				return errors.New("an ancestor is null")
			}
			if err := a.check(depth - 1); err != nil {
				return err
			}
		}
	}
	return nil
}
