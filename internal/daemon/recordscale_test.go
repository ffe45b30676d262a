package daemon

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

func TestAScaleThatSendsRecordsIsConfiguredWithoutDoubt(t *testing.T) {
	for _, c := range []struct{ name, lines, want string }{
		{"a folder", "record: {page: record-open, lane: \"1\", folder: in}", ""},
		{"an address", "record: {page: record-open, lane: \"1\", address: \"192.0.2.40:4001\"}", ""},
		{"no record at all", "", "record: is missing"},
		{"no page", "record: {folder: in}", "record.page: is missing"},
		{"no way to it", "record: {page: record-open}", "want address, folder or listen"},
		{"two ways to it", "record: {page: record-open, folder: in, listen: \"127.0.0.1:1\"}", "record.listen: does not go with folder"},
		{"an address that is none", "record: {page: record-open, address: here}", "\"here\" is no address"},
		{"a port without a secret", "record: {page: record-open, listen: \"127.0.0.1:1\"}", "record.secret_file: is missing"},
		{"a secret without a port", "record: {page: record-open, folder: in, secret_file: x}", "record.secret_file: goes with listen"},
		{"half a certificate", "record: {page: record-open, listen: \"127.0.0.1:1\", secret_file: x, cert_file: y}", "go together"},
		{"a dialect", "record: {page: record-open, folder: in}\ndialect: af1", "dialect: has no meaning for a scale that sends records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s ScaleConfig
			if err := conf.Decode("x.yaml", []byte("device: wim-1\nkind: record\n"+c.lines), &s); err != nil {
				t.Fatal(err)
			}
			key, msg, hint := s.mistake()
			if got := key + ": " + msg + "; " + hint; (msg == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	for _, c := range []struct {
		name string
		w    WeighingConfig
		want string
	}{
		{"distances to the vehicle before", WeighingConfig{Tailgate: 5000}, "tailgate_mm"},
		{"lanes abreast", WeighingConfig{Beside: []wim.LaneID{2}}, "beside"},
		{"speeds", WeighingConfig{SpeedMin: 50}, ""},
	} {
		l := LaneConfig{Scale: ScaleConfig{Kind: scaleRecord}, Weighing: c.w}
		if err := l.weighingMistake(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAPortForRecordsIsOpenedAsSafelyAsItIsConfigured(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"good": "0123456789abcdefgh", "short": "x", "odd": "0123456789/abcdef/../gh"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	knows := siteKnows{func(string) (wim.DeviceCursor, bool) { return wim.DeviceCursor{}, false }, func(context.Context, string, string) (bool, error) { return false, nil }}
	for _, c := range []struct {
		name   string
		record RecordConfig
		want   string
	}{
		{"on loopback", RecordConfig{PushConfig: PushConfig{Listen: "127.0.0.1:1", SecretFile: "good"}}, ""},
		{"beyond loopback without a certificate", RecordConfig{PushConfig: PushConfig{Listen: "192.0.2.1:1", SecretFile: "good"}}, "cert_file"},
		{"on a line of its own", RecordConfig{PushConfig: PushConfig{Listen: "192.0.2.1:1", SecretFile: "good", AllowPlain: true}}, ""},
		{"a secret that is no path", RecordConfig{PushConfig: PushConfig{Listen: "127.0.0.1:1", SecretFile: "odd"}}, "letters, digits"},
		{"a secret that can be guessed", RecordConfig{PushConfig: PushConfig{Listen: "127.0.0.1:1", SecretFile: "short"}}, "at least 16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.record.Page, c.record.Lane = "record-open", "1"
			_, err := openScale(&EdgeConfig{dir: dir}, &ScaleConfig{Device: "wim-1", Kind: scaleRecord, Record: &c.record}, knows, slog.New(slog.DiscardHandler))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// silentLink takes nothing: the records of the test stay in the journal.
type silentLink struct{ up chan struct{} }

func (l silentLink) Publish(ctx context.Context, _ []byte) error { <-ctx.Done(); return ctx.Err() }
func (l silentLink) Up() <-chan struct{}                         { return l.up }

// TestRecordsOfAFolderBecomePassagesOnce runs the driver in a site over a real journal, and again after a restart.
func TestRecordsOfAFolderBecomePassagesOnce(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o700); err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(filepath.Join("..", "..", "drivers", "record", "testdata", "record-open.json"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := ruleSet(dir, "cn-2016-62")
	if err != nil {
		t.Fatal(err)
	}
	jc := journal.Config{Path: filepath.Join(dir, "journal.db"), Site: "north-1", Key: key.ID, Software: wim.Software{Build: "test"}}
	run := func(file string) {
		t.Helper()
		j, err := journal.Open(t.Context(), jc)
		if err != nil {
			t.Fatal(err)
		}
		cfg := &EdgeConfig{dir: dir}
		scale, err := openScale(cfg, &ScaleConfig{Device: "wim-1", Kind: scaleRecord, Record: &RecordConfig{Page: "record-open", Lane: "1", Folder: "in"}},
			siteKnows{j.Cursor, j.Knows}, slog.New(slog.NewTextHandler(t.Output(), nil)))
		if err != nil {
			t.Fatal(err)
		}
		site, err := edge.New(edge.Config{Site: "north-1", Road: wim.Road{Name: "G5", Class: "expressway"}, Journal: j, Signer: key, CenterKeys: []*seal.Verifier{key.Verifier()},
			Link: silentLink{}, Rules: rules, Lanes: []edge.LaneConfig{{Lane: 1, Device: "wim-1", Scale: scale}}, Drain: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- site.Run(ctx) }()
		if err := os.WriteFile(filepath.Join(in, file), example, 0o600); err != nil {
			t.Fatal(err)
		}
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		limit := time.After(30 * time.Second)
		for { // one record of the example is refused, so the file ends there
			if _, err := os.Stat(filepath.Join(in, "refused", file)); err == nil {
				break
			}
			select {
			case <-tick.C:
			case <-limit:
				t.Fatal("the file is never set aside")
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	run("a.json")
	run("b.json") // the same records once more
	var passages []*wim.Passage
	var taken []*wim.Supplement
	gaps := 0
	if _, err := journal.Audit(t.Context(), jc.Path, func(r *wim.Record, _ []byte) error {
		switch {
		case r.Passage != nil:
			passages = append(passages, r.Passage)
		case r.Supplement != nil:
			taken = append(taken, r.Supplement)
		case r.Gap != nil:
			gaps++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(passages) != 2 || len(taken) != 1 || gaps != 2 { // what is refused has no name that could be remembered
		t.Fatalf("%d passages, %d supplements, %d gaps", len(passages), len(taken), gaps)
	}
	v := passages[0].Facts.Vehicle
	if v.Gross != 48920 || v.AxleSum != 48900 || v.Speed != 614 || v.Flags != wim.TrailerUnread || v.Controller == nil || v.Controller.Indication != "48920 kg" || v.Controller.Class != "T6" || v.Start.String() != "2026-03-01T00:15:30.250000000Z" {
		t.Errorf("vehicle %+v, controller %+v", v, v.Controller)
	}
	if s := taken[0]; s.Cause != wim.SupplementRetraction || s.Facts.Vehicle.Controller.ID != "7-000124" || !s.Facts.Vehicle.Flags.Has(wim.Reverse) {
		t.Errorf("supplement %+v", s)
	}
}
