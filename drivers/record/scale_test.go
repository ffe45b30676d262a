package record

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/wim"
)

func vehicleJSON(id string) string {
	return fmt.Sprintf(`{"type":"vehicle","id":%q,"lane":"1","time":"2026-03-01T00:15:41Z","gross_kg":18040,"axle_count":2,"validity":"ok","direction":"forward","axles":[{"load_kg":6000},{"load_kg":12040,"spacing_mm":5200}]}`, id)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestFilesAreTakenOnceInOrderAndSetAside(t *testing.T) {
	dir, l := t.TempDir(), newLedger()
	write(t, filepath.Join(dir, "b.json"), vehicleJSON("2"))
	write(t, filepath.Join(dir, "a.json"), "["+vehicleJSON("1")+","+vehicleJSON("0")+"]")
	write(t, filepath.Join(dir, "note.txt"), "not for us")
	s, stop := l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Folder: dir})
	until(t, "both files to be set aside", func() bool {
		return exists(filepath.Join(dir, "taken", "a.json")) && exists(filepath.Join(dir, "taken", "b.json"))
	})
	if got := l.ids(); !slices.Equal(got, []string{"1", "0", "2"}) {
		t.Errorf("handed on %v", got)
	}
	stop()

	// The same files again, as a controller that was not told sends them, before and after a restart of the driver.
	write(t, filepath.Join(dir, "a.json"), "["+vehicleJSON("1")+","+vehicleJSON("3")+"]")
	_, stop = l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Folder: dir})
	until(t, "the file under another name", func() bool { return exists(filepath.Join(dir, "taken", "2-a.json")) })
	stop()
	if got := l.ids(); !slices.Equal(got, []string{"1", "0", "2", "3"}) {
		t.Errorf("handed on %v", got)
	}
	if h := s.Health(); !h.Up || h.Messages != 3 || h.Bad != 0 {
		t.Errorf("health %+v", h)
	}
	if !exists(filepath.Join(dir, "note.txt")) {
		t.Error("a file that is none of the page's was touched")
	}
	// Numbers go on over the restart.
	for i, r := range l.got[1:10] {
		if r.Boot != 1 || r.Seq != uint32(i+1) {
			t.Errorf("reading %d has number %d of boot %d", i+1, r.Seq, r.Boot)
		}
	}
}

func TestAFileIsSetAsideOnlyWhenItsRecordsAreCommitted(t *testing.T) {
	dir, l := t.TempDir(), newLedger()
	l.stuck = true
	write(t, filepath.Join(dir, "a.json"), vehicleJSON("1"))
	_, stop := l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Folder: dir})
	until(t, "the vehicle to be handed on", func() bool { return len(l.ids()) == 1 })
	stop()
	if !exists(filepath.Join(dir, "a.json")) {
		t.Fatal("the file is gone although nothing was committed")
	}
	l.unstick()
	_, stop = l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Folder: dir})
	until(t, "the file to be set aside", func() bool { return exists(filepath.Join(dir, "taken", "a.json")) })
	stop()
	if got := l.ids(); len(got) != 1 {
		t.Errorf("handed on %v", got)
	}
}

func TestARecordThatBecameAGapIsHandedOnAgain(t *testing.T) {
	dir, l := t.TempDir(), newLedger()
	l.lose = 1
	write(t, filepath.Join(dir, "a.json"), vehicleJSON("1"))
	s, _ := l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Folder: dir})
	until(t, "the file to be set aside", func() bool { return exists(filepath.Join(dir, "taken", "a.json")) })
	if got := l.ids(); !slices.Equal(got, []string{"1", "1"}) || s.Health().Messages != 1 {
		t.Errorf("handed on %v, %+v", got, s.Health())
	}
}

func TestWhatIsRefusedLeavesAHoleAndItsFileWithTheReason(t *testing.T) {
	for _, c := range []struct {
		name, text, why string
		hole            bool
	}{
		{"a code that the page does not name", strings.Replace(vehicleJSON("1"), `"ok"`, `"fishy"`, 1), `"fishy", a code that the page does not name`, true},
		{"a mass that is missing", strings.Replace(vehicleJSON("1"), `"gross_kg":18040,`, "", 1), "gross_kg is missing", true},
		{"a kind of message that nobody named", strings.Replace(vehicleJSON("1"), `"type":"vehicle"`, `"type":"bicycle"`, 1), "bicycle", true},
		{"a record of another lane", strings.Replace(vehicleJSON("1"), `"lane":"1"`, `"lane":"2"`, 1), "give each lane a folder", false},
		{"what is no JSON and old", `{"type":`, "it is not JSON", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, l := t.TempDir(), newLedger()
			write(t, filepath.Join(dir, "a.json"), c.text)
			old := time.Now().Add(-time.Hour)
			if err := os.Chtimes(filepath.Join(dir, "a.json"), old, old); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "b.json"), vehicleJSON("9"))
			_, stop := l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Folder: dir})
			until(t, "the good file to be set aside", func() bool { return exists(filepath.Join(dir, "taken", "b.json")) })
			stop()
			why, err := os.ReadFile(filepath.Join(dir, "refused", "a.json.why"))
			if err != nil || !strings.Contains(string(why), c.why) {
				t.Errorf("the reason is %q, %v; want %q", why, err, c.why)
			}
			if !exists(filepath.Join(dir, "refused", "a.json")) {
				t.Error("the file itself is not there")
			}
			if got := l.ids(); !slices.Equal(got, []string{"9"}) {
				t.Errorf("handed on %v", got)
			}
			if n := l.count(wim.Heartbeat); n != map[bool]int{true: 1}[c.hole] {
				t.Errorf("%d holes", n)
			}
		})
	}
}

func TestAFileThatIsHalfWrittenIsLeftUntilItIsWhole(t *testing.T) {
	dir, l := t.TempDir(), newLedger()
	path := filepath.Join(dir, "a.csv")
	text, err := os.ReadFile(filepath.Join("testdata", "record-open-csv.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	cut := lines[0] + lines[1][:len(lines[1])-8] // the last axle is missing
	if err := os.WriteFile(path, []byte(cut), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "b.csv"), lines[0]+lines[2])
	_, stop := l.run(t, Config{Page: shipped(t, "record-open-csv"), Folder: dir})
	until(t, "the file behind it", func() bool { return exists(filepath.Join(dir, "taken", "b.csv")) })
	if err := os.WriteFile(path, []byte(lines[0]+lines[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the whole file", func() bool { return exists(filepath.Join(dir, "taken", "a.csv")) })
	stop()
	if got := l.ids(); !slices.Equal(got, []string{"8-2", "8-1"}) {
		t.Errorf("handed on %v", got)
	}
}

func TestAFolderThatIsNotThereIsSaidAndFoundLater(t *testing.T) {
	dir, l := filepath.Join(t.TempDir(), "later"), newLedger()
	s, _ := l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Folder: dir})
	until(t, "the reason", func() bool { return strings.Contains(s.Health().Reason, "cannot be opened") })
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	until(t, "the folder", func() bool { return s.Health().Up })
	if err := os.Rename(dir, dir+"-gone"); err != nil { // at once: the driver makes folders in it
		t.Fatal(err)
	}
	until(t, "the loss", func() bool { return l.count(wim.LinkDown) == 1 && !s.Health().Up })
}

func TestARetractionIsHandedOnOnceAndATimeThatIsStillToComeIsNotBelieved(t *testing.T) {
	dir, l := t.TempDir(), newLedger()
	back := `{"type":"retraction","id":"1","lane":"1"}`
	future := strings.Replace(vehicleJSON("1"), "2026-03-01T00:15:41Z", time.Now().Add(time.Hour).UTC().Format(time.RFC3339), 1)
	write(t, filepath.Join(dir, "a.json"), "["+future+","+back+","+back+"]")
	_, stop := l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Folder: dir})
	until(t, "the file to be set aside", func() bool { return exists(filepath.Join(dir, "taken", "a.json")) })
	stop()
	if got := l.ids(); !slices.Equal(got, []string{"1", "-1"}) {
		t.Errorf("handed on %v", got)
	}
	for _, r := range l.got {
		if r.Kind == wim.VehicleEnd && (!r.Flags.Has(wim.DeviceClock) || r.Arrival > wim.TimeOf(time.Now())) {
			t.Errorf("the vehicle passed at %s with flags %v", r.Arrival, r.Flags.Names())
		}
	}
}

func TestAPushIsAnsweredWhenItIsCommitted(t *testing.T) {
	l := newLedger()
	addr, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, _ := l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Listen: addr, Secret: "s3cret"})
	until(t, "the port", func() bool { return s.Health().Up })
	for _, c := range []struct {
		name, path, body string
		want             int
		ids              []string
	}{
		{"a vehicle", "/s3cret", vehicleJSON("1"), 204, []string{"1"}},
		{"the same again", "/s3cret", vehicleJSON("1"), 204, []string{"1"}},
		{"a list", "/s3cret", "[" + vehicleJSON("2") + "," + vehicleJSON("3") + "]", 204, []string{"1", "2", "3"}},
		{"another path", "/secret", vehicleJSON("4"), 404, []string{"1", "2", "3"}},
		{"what is no JSON", "/s3cret", "{", 400, []string{"1", "2", "3"}},
		{"what is refused is a gap and need not come again", "/s3cret", strings.Replace(vehicleJSON("5"), `"ok"`, `"fishy"`, 1), 204, []string{"1", "2", "3"}},
		{"too much", "/s3cret", strings.Repeat(" ", maxMessage+1), 413, []string{"1", "2", "3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.want || !slices.Equal(l.ids(), c.ids) {
				t.Errorf("status %d, handed on %v; want %d and %v", resp.StatusCode, l.ids(), c.want, c.ids)
			}
		})
	}
	if n := l.count(wim.Heartbeat); n != 1 {
		t.Errorf("%d holes", n)
	}
}

func TestMessagesThatTellTheirLengthAreReadAndALaneOfOthersPassedOver(t *testing.T) {
	l := newLedger()
	srv, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close() //nolint:errcheck // of the test
	text, err := os.ReadFile(filepath.Join("testdata", "maker.xml"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		conn, err := srv.Accept()
		if err != nil {
			return
		}
		for _, m := range [][]byte{[]byte(strings.ReplaceAll(string(text), "<Lane>R", "<Lane>L")), text} {
			conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(m))), m...)) //nolint:errcheck // the driver may have gone
		}
	}()
	s, stop := l.run(t, Config{Page: makers(t), Lane: "R", Address: srv.Addr().String()})
	until(t, "all records", func() bool { return len(l.ids()) == 3 })
	stop()
	if got := l.ids(); !slices.Equal(got, []string{"A7/55", "A7/56", "-A7/55"}) {
		t.Errorf("handed on %v", got)
	}
	if h := s.Health(); h.Skipped != 4 || h.Bad != 1 || h.Messages != 3 {
		t.Errorf("health %+v", h)
	}
}

func TestALineThatIsTooLongCostsOnlyItself(t *testing.T) {
	l := newLedger()
	srv, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close() //nolint:errcheck // of the test
	go func() {
		conn, err := srv.Accept()
		if err != nil {
			return
		}
		fmt.Fprintln(conn, strings.Repeat("x", 3*maxMessage)) //nolint:errcheck // the driver may have gone
		fmt.Fprintln(conn, vehicleJSON("1"))                  //nolint:errcheck // likewise
	}()
	s, _ := l.run(t, Config{Page: shipped(t, "record-open"), Lane: "1", Address: srv.Addr().String()})
	until(t, "the vehicle", func() bool { return slices.Equal(l.ids(), []string{"1"}) })
	if h := s.Health(); h.Bad != 1 {
		t.Errorf("health %+v", h)
	}
}

func TestAConfigurationThatCannotBeMeantIsRefused(t *testing.T) {
	l := newLedger()
	good := func() Config {
		return Config{Device: "wim-1", Page: shipped(t, "record-open"), Lane: "1", Folder: "x", After: l.After, Known: l.Known}
	}
	for _, c := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"no way to it", func(c *Config) { c.Folder = "" }, "want one of"},
		{"two ways", func(c *Config) { c.Address = "x:1" }, "want one of"},
		{"no lane where the page has one", func(c *Config) { c.Lane = "" }, "lane's code"},
		{"a page without a stream", func(c *Config) { c.Page, c.Folder, c.Address = shipped(t, "record-cn-nonstop"), "", "x:1" }, "has no stream"},
		{"a page without files", func(c *Config) { c.Page.Files = "" }, "has no files"},
		{"a port without a secret", func(c *Config) { c.Folder, c.Listen = "", "127.0.0.1:1" }, "secret"},
		{"nobody who knows", func(c *Config) { c.Known = nil }, "what the site knows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good()
			c.edit(&cfg)
			if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := New(good()); err != nil {
		t.Error(err)
	}
}
