package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/testenv"
)

func ready(t *testing.T, h http.Handler) (int, edge.Health) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	var got edge.Health
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return w.Code, got
}

func TestASiteThatStartsOnAReadOnlyDiskSaysSoAndGoesOnWhenItTakesWrites(t *testing.T) {
	testenv.OwnMounts(t, func(t *testing.T) {
		for name, before := range map[string]bool{"a journal that is there": true, "no journal yet": false} {
			t.Run(name, func(t *testing.T) {
				dir := testenv.SmallDisk(t, 8<<20)
				cfg := journal.Config{Path: filepath.Join(dir, "data", "journal.db"), Site: "north-1", Key: "key-1"}
				if before {
					j, err := journal.Open(t.Context(), cfg)
					if err := errors.Join(err, j.Close()); err != nil {
						t.Fatal(err)
					}
				}
				testenv.ReadOnly(t, dir, true)
				log := slog.New(slog.NewTextHandler(t.Output(), nil))
				entrance := &door{site: "north-1"}
				if code, h := ready(t, entrance); code != http.StatusServiceUnavailable || h.State != edge.StateStarting {
					t.Errorf("%d, %+v", code, h)
				}
				reserve := journal.OpenReserve(filepath.Join(dir, "data", "reserve"), 1<<20, log)
				tries := 0
				j, err := openJournal(t.Context(), reserve, cfg, time.Millisecond, func(err error) {
					entrance.failing(err)
					if tries++; tries == 3 {
						code, h := ready(t, entrance)
						if code != http.StatusServiceUnavailable || h.State != edge.StateFailing || len(h.Todo) == 0 || !strings.Contains(h.Journal.Error, "read-only") {
							t.Errorf("%d, %+v", code, h)
						}
						testenv.ReadOnly(t, dir, false)
					}
				}, log)
				if err != nil || tries != 3 {
					t.Fatalf("after %d tries: %v", tries, err)
				}
				if err := j.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

func TestAJournalThatNoDiskCanHealIsAnErrorAtOnce(t *testing.T) {
	cfg := journal.Config{Path: filepath.Join(t.TempDir(), "journal.db"), Site: "north-1", Key: "key-1"}
	j, err := journal.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // its lock is what is tested
	none := func(err error) { t.Errorf("it is tried again: %v", err) }
	if _, err := openJournal(t.Context(), new(journal.Reserve), cfg, time.Millisecond, none, slog.New(slog.DiscardHandler)); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("%v", err)
	}
}

func TestASiteThatWaitsForItsDiskCanBeStopped(t *testing.T) {
	testenv.OwnMounts(t, func(t *testing.T) {
		dir := testenv.SmallDisk(t, 1<<20)
		testenv.ReadOnly(t, dir, true)
		ctx, cancel := context.WithCancel(t.Context())
		cfg := journal.Config{Path: filepath.Join(dir, "journal.db"), Site: "north-1", Key: "key-1"}
		_, err := openJournal(ctx, new(journal.Reserve), cfg, time.Hour, func(error) { cancel() }, slog.New(slog.DiscardHandler))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

func TestADamagedJournalIsRecoveredAtTheStart(t *testing.T) {
	cfg := journal.Config{Path: filepath.Join(t.TempDir(), "journal.db"), Site: "north-1", Key: "key-1"}
	if err := os.WriteFile(cfg.Path, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	none := func(err error) { t.Errorf("it is tried again: %v", err) }
	j, err := openJournal(t.Context(), new(journal.Reserve), cfg, time.Millisecond, none, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	aside, err := filepath.Glob(cfg.Path + ".damaged-*")
	if err != nil || len(aside) == 0 {
		t.Errorf("the damaged file is not kept: %q, %v", aside, err)
	}
}

// A page in the midst of a journal is read only when it is sent: what a run found damaged is recovered, also where
// opening it finds nothing.
func TestAJournalThatARunFoundDamagedIsRecoveredWhateverOpeningItSays(t *testing.T) {
	cfg := journal.Config{Path: filepath.Join(t.TempDir(), "journal.db"), Site: "north-1", Key: "key-1"}
	j, err := journal.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := j.Chain()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	recoverJournal(t.Context(), cfg, fmt.Errorf("record 7 cannot be read: %w", journal.ErrDamaged), log)
	if j, err = journal.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // only read
	aside, err := filepath.Glob(cfg.Path + ".damaged-*")
	if err != nil || len(aside) == 0 || j.Chain() == before {
		t.Errorf("it was not recovered: %q, %v, chain %s", aside, err, j.Chain())
	}
}
