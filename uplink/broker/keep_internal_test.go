package broker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func testBroker(t *testing.T) *Broker {
	t.Helper()
	b, err := New(Config{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Users: []User{{Name: "intake", Password: "p"}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAServerThatGaveUpItsStoreEndsItsRun(t *testing.T) {
	b := testBroker(t)
	d := &door{broker: b}
	srv, err := server.NewServer(b.options(d))
	if err != nil {
		t.Fatal(err)
	}
	d.srv = srv
	defer srv.WaitForShutdown()
	defer srv.Shutdown()
	srv.Start()
	if !srv.ReadyForConnections(startLimit) {
		t.Fatal("not ready")
	}
	if err := srv.DisableJetStream(); err != nil { // as the server itself does on a full disk
		t.Fatal(err)
	}
	if err := b.watch(t.Context(), srv); err == nil || !strings.Contains(err.Error(), "disabled its store") {
		t.Fatalf("got %v", err)
	}
}

func TestABrokerThatWasReadyIsStartedAgainAndOneThatWasNotIsAnError(t *testing.T) {
	broken := errors.New("broken")
	b := testBroker(t)
	if err := b.keep(t.Context(), func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Fatalf("never ready: %v", err)
	}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b, err := New(Config{Listen: "127.0.0.1:0", StoreDir: dir, Users: []User{{Name: "intake", Password: "p"}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		began, runs := time.Now(), 0
		var starts []time.Duration
		err = b.keep(ctx, func(context.Context) error {
			starts = append(starts, time.Since(began))
			if runs++; runs == 1 {
				close(b.ready)
			}
			if runs == 8 {
				cancel()
			}
			return broken
		})
		if err != nil || b.Stats().Restarts != 7 {
			t.Fatalf("got %v, %+v", err, b.Stats())
		}
		for i, want := range []time.Duration{0, 1, 3, 7, 15, 31, 61, 91} {
			if starts[i] != want*time.Second {
				t.Fatalf("starts at %v", starts)
			}
		}
	})
}

func TestTheServersLinesKeepTheirLevelUntilItStops(t *testing.T) {
	var out bytes.Buffer
	j := &journal{log: slog.New(slog.NewTextHandler(&out, nil))}
	j.Noticef("notice %d", 1)
	j.Warnf("warning %d", 2)
	j.Fatalf("fatal %d", 3)
	j.Fatalf("fatal %d", 4)
	j.stopping.Store(true)
	j.Errorf("error %d", 5)
	if got := *j.fatal.Load(); got != "fatal 3" {
		t.Fatalf("kept %q", got)
	}
	got := out.String()
	for text, want := range map[string]bool{"notice 1": false, "warning 2": true, "fatal 3": true, "fatal 4": true, "error 5": false} {
		if strings.Contains(got, text) != want {
			t.Errorf("%s in the log: %v, want %v", text, !want, want)
		}
	}
}
