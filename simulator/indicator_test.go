package simulator

import (
	"encoding/hex"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/testenv"
)

func standing(t *testing.T, cfg IndicatorConfig) *Indicator {
	t.Helper()
	d, err := NewIndicator(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// poll runs mbpoll once and gives the values that it prints.
func poll(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), testenv.Mbpoll(t), append([]string{"-0", "-1", "-q", "-o", "5"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("mbpoll: %v\n%s", err, out)
	}
	var values []string
	for line := range strings.Lines(string(out)) {
		if at, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && strings.HasPrefix(at, "[") {
			values = append(values, strings.Trim(at, "[]")+"="+strings.TrimSpace(v))
		}
	}
	return strings.Join(values, " ")
}

func TestAnotherMakersMasterReadsTheInstruments(t *testing.T) {
	l := StaticLoad{Gross: 38460, Tare: 14460}
	tcp := standing(t, IndicatorConfig{Kind: "laumas-tlb", Address: "127.0.0.1:0"})
	tcp.Set(l)
	host, port, err := net.SplitHostPort(tcp.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if got := poll(t, "-t", "4:int", "-B", "-r", "7", "-c", "2", "-p", port, host); got != "7=38460 9=24000" {
		t.Errorf("Laumas over TCP: %s", got)
	}
	if got := poll(t, "-t", "4", "-r", "6", "-c", "1", "-p", port, host); got != "6=3072" {
		t.Errorf("its status: %s", got)
	}
	line := standing(t, IndicatorConfig{Kind: "bilancial-dd700", Line: filepath.Join(t.TempDir(), "bus"), Unit: 7})
	line.Set(l)
	if got := poll(t, "-m", "rtu", "-a", "7", "-t", "3:float", "-B", "-r", "0", "-c", "2", "-b", "19200", line.path); got != "0=38460 2=24000" {
		t.Errorf("Bilancial on a line: %s", got)
	}
}

// ask sends a request over TCP and gives the answer, both as hex.
func ask(t *testing.T, c net.Conn, request string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(request, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	return heard(t, c)
}

func heard(t *testing.T, c net.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 6)
	if _, err := io.ReadFull(c, head); err != nil {
		return err.Error()
	}
	body := make([]byte, head[5])
	if _, err := io.ReadFull(c, body); err != nil {
		return err.Error()
	}
	return strings.ToUpper(hex.EncodeToString(append(head, body...)))
}

func TestAnInstrumentAnswersAsTheProtocolSays(t *testing.T) {
	d := standing(t, IndicatorConfig{Kind: "diniargeo-dgt4", Address: "127.0.0.1:0"})
	d.Set(StaticLoad{Gross: 6000, Moving: true})
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", d.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) //nolint:errcheck // the test is over
	for _, q := range []struct{ name, request, want string }{
		{"the gross weight of its manual", "0001 0000 0006 01 04 0000 0002", "00010000000701040400001770"},
		{"another unit", "0002 0000 0006 02 04 0000 0002", "00020000000302840B"},
		{"a function that it does not have", "0003 0000 0006 01 03 0000 0002", "000300000003018301"},
		{"a register that there is not", "0004 0000 0006 01 04 0006 0002", "000400000003018402"},
		{"more registers than a request may have", "0005 0000 0006 01 04 0000 007E", "000500000003018403"},
		{"no register", "0006 0000 0006 01 04 0000 0000", "000600000003018403"},
		{"a write of another length than it says", "0007 0000 0009 01 10 0000 0001 04 0001", "000700000003019003"},
		{"zero, while the load moves", "0008 0000 0006 01 06 0000 0001", "000800000006010600000001"},
	} {
		if got := ask(t, c, q.request); got != q.want {
			t.Errorf("%s: %s, want %s", q.name, got, q.want)
		}
	}
	if d.Load().Gross != 6000 {
		t.Error("a moving load was set to zero")
	}
	d.Set(StaticLoad{Gross: 6000})
	ask(t, c, "0009 0000 0009 01 10 0000 0001 02 0002")
	if l := d.Load(); l.Tare != 6000 {
		t.Errorf("after tare: %+v", l)
	}
	d.Strike(IndicatorWrongUnit, time.Hour)
	if got := ask(t, c, "000A 0000 0006 01 04 0000 0001"); got != "000A000000050204020000" {
		t.Errorf("a wrong unit: %s", got)
	}
	d.Strike(IndicatorWrongUnit, 0)
	d.Strike(IndicatorSwapped, time.Hour)
	if got := ask(t, c, "000B 0000 0006 01 04 0000 0002"); got != "000B0000000701040417700000" {
		t.Errorf("swapped words: %s", got)
	}
	d.Strike(IndicatorBusy, time.Hour)
	if got := ask(t, c, "000C 0000 0006 01 04 0000 0002"); got != "000C00000003018406" {
		t.Errorf("busy: %s", got)
	}
	d.Strike(IndicatorReboot, 0)
	if got := heard(t, c); got != "EOF" && !strings.Contains(got, "reset") {
		t.Errorf("after a reboot the connection says %s", got)
	}
	if l := d.Load(); l.Tare != 0 {
		t.Errorf("after a reboot: %+v", l)
	}
}

func TestALateAnswerComesAfterALaterOne(t *testing.T) {
	d := standing(t, IndicatorConfig{Kind: "laumas-tlb", Address: "127.0.0.1:0"})
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", d.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) //nolint:errcheck // the test is over
	d.Strike(IndicatorLate, 300*time.Millisecond)
	if _, err := c.Write([]byte{0, 1, 0, 0, 0, 6, 1, 3, 0, 6, 0, 1}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, c, "0002 0000 0006 01 03 0006 0001"); !strings.HasPrefix(got, "0002") {
		t.Errorf("first came %s", got)
	}
	if got := heard(t, c); !strings.HasPrefix(got, "0001") {
		t.Errorf("then came %s", got)
	}
}

func TestAnInstrumentThatCannotBeIsNotPutUp(t *testing.T) {
	for _, c := range []struct {
		name, want string
		cfg        IndicatorConfig
	}{
		{"of no maker", "is not known", IndicatorConfig{Kind: "bathroom", Address: "127.0.0.1:0"}},
		{"nowhere", "want one of", IndicatorConfig{Kind: "hbm-wtx"}},
		{"at two places", "want one of", IndicatorConfig{Kind: "hbm-wtx", Address: "127.0.0.1:0", Line: "x"}},
	} {
		if _, err := NewIndicator(t.Context(), c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
