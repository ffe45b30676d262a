package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/axlegate/axlegate/simulator"
)

// SimFiles names the files of a simulation. Truth and Registrations may be empty.
type SimFiles struct {
	Scenario      string
	Truth         string // ground truth is appended here
	Registrations string // the fleet's registration table is written here before traffic starts
	Tapes         string // folder for captures of scales and cameras, which then stand on no line; empty for real lines
}

// CheckScenario reads a scenario file without starting anything.
func CheckScenario(path string) error {
	_, err := simulator.Load(path)
	return err
}

// NewSim loads a scenario and writes the registration table; the traffic starts with Run. The returned
// close function ends the truth file.
func NewSim(f SimFiles, log *slog.Logger) (s *simulator.Simulator, closeTruth func() error, err error) {
	scenario, err := simulator.Load(f.Scenario)
	if err != nil {
		return nil, nil, err
	}
	var truth io.Writer = io.Discard
	closeTruth = func() error { return nil }
	if f.Truth != "" {
		file, err := os.OpenFile(f.Truth, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return nil, nil, fmt.Errorf("ground truth: %w", err)
		}
		truth, closeTruth = file, file.Close
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeTruth())
		}
	}()
	cfg := simulator.Config{Dir: filepath.Dir(f.Scenario), Logger: log, Truth: truth}
	if f.Tapes != "" {
		cfg.Tape = func(device string) (io.Writer, error) {
			if err := os.MkdirAll(f.Tapes, 0o700); err != nil {
				return nil, err
			}
			return os.OpenFile(filepath.Join(f.Tapes, device+".capture"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		}
	}
	if s, err = simulator.New(scenario, cfg); err != nil {
		return nil, nil, err
	}
	if f.Registrations != "" {
		if err := writeRegistrations(f.Registrations, s); err != nil {
			return nil, nil, err
		}
	}
	return s, closeTruth, nil
}

// RunSim runs a scenario until ctx ends.
func RunSim(ctx context.Context, f SimFiles, log *slog.Logger) error {
	s, closeTruth, err := NewSim(f, log)
	if err != nil {
		return err
	}
	return errors.Join(s.Run(ctx), closeTruth())
}

func writeRegistrations(path string, s *simulator.Simulator) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("registration table: %w", err)
	}
	return errors.Join(s.Registrations(f), f.Close())
}
