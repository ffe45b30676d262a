package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/axlegate/axlegate/drivers/modbus"
	"github.com/axlegate/axlegate/internal/capture"
	"github.com/axlegate/axlegate/internal/freeport"
	"github.com/axlegate/axlegate/simulator"
)

// captured runs the command while use runs, and gives what it wrote.
func captured(t *testing.T, c captureCommand, ready func() bool, use func()) []byte {
	t.Helper()
	c.Output = filepath.Join(t.TempDir(), "it.capture")
	if c.Limit == 0 {
		c.Limit = 10
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.run(ctx) }()
	for end := time.Now().Add(20 * time.Second); !ready(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is never ready")
		}
	}
	use()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(c.Output)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("the file is %v, %v; it holds passwords", st.Mode(), err)
	}
	b, err := os.ReadFile(c.Output)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func there(path string) func() bool {
	return func() bool { _, err := os.Stat(path); return err == nil }
}

func listens(address string) func() bool {
	return func() bool {
		c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
		if err == nil {
			c.Close() //nolint:errcheck // it was only tried
		}
		return err == nil
	}
}

func address(t *testing.T) string {
	t.Helper()
	a, err := freeport.Address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func playerOf(t *testing.T, file []byte, speed float64) *simulator.Replay {
	t.Helper()
	r, cut, err := simulator.ReadReplay(bytes.NewReader(file), speed)
	if err != nil || cut != nil {
		t.Fatal(err, cut)
	}
	return r
}

func TestASerialLineIsCapturedThroughATapAndPlayedAgainByteByByte(t *testing.T) {
	dir := t.TempDir()
	device, link := filepath.Join(dir, "device"), filepath.Join(dir, "tap")
	l, err := simulator.NewLine(device)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // taken down with the test
	said := [][]byte{[]byte("\x02 first\r"), {0, 0xFF, 0x0A, 0x0D, 0x7F, 0x03}, bytes.Repeat([]byte("x"), 200)}
	var heard []byte
	file := captured(t, captureCommand{Device: device, Baud: 9600, Frame: "8N1", Link: link}, there(link), func() {
		edge, err := os.OpenFile(link, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer edge.Close() //nolint:errcheck // as above
		if _, err := edge.WriteString("S\r\n"); err != nil {
			t.Fatal(err)
		}
		ask := make([]byte, 3)
		if _, err := io.ReadFull(l, ask); err != nil || string(ask) != "S\r\n" {
			t.Fatalf("the device heard %q, %v", ask, err)
		}
		for _, p := range said {
			if _, err := l.Write(p); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // so that they come in pieces, where the machine lets them; nothing waits for it
		}
		heard = make([]byte, len(slices.Concat(said...)))
		if _, err := io.ReadFull(edge, heard); err != nil || !bytes.Equal(heard, slices.Concat(said...)) {
			t.Fatalf("the edge heard %q, %v", heard, err)
		}
	})

	// The device answered a question, so it is played by its answers.
	r := playerOf(t, file, 0)
	if !r.Asked() {
		t.Fatalf("it was asked:\n%s", file)
	}
	again, err := simulator.NewLine(filepath.Join(dir, "again"))
	if err != nil {
		t.Fatal(err)
	}
	go r.Speak(t.Context(), again) //nolint:errcheck // it ends with the test
	edge, err := os.OpenFile(filepath.Join(dir, "again"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := edge.WriteString("what is this?"); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); r.Unknown.Load() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("a question that was never asked is not counted")
			}
		}
		if _, err := edge.WriteString("S\r\n"); err != nil {
			t.Fatal(err)
		}
		clear(heard)
		if _, err := io.ReadFull(edge, heard); err != nil || !bytes.Equal(heard, slices.Concat(said...)) {
			t.Fatalf("played %q, %v", heard, err)
		}
		r.Unknown.Store(0)
	}
	if err := errors.Join(again.Close(), edge.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestASlaveOnModbusIsCapturedAndAnswersAgainUnderNewNumbers(t *testing.T) {
	slave, err := simulator.NewIndicator(t.Context(), simulator.IndicatorConfig{Kind: "laumas-tlb", Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	slave.Set(simulator.StaticLoad{Gross: 38_460})
	read := func(at string) []uint16 {
		t.Helper()
		c, err := modbus.New(modbus.Config{Address: at, Unit: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // it was only read
		got, err := c.ReadHolding(t.Context(), 6, 10)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	listen := address(t)
	var want []uint16
	file := captured(t, captureCommand{Device: slave.Addr(), Listen: listen}, listens(listen), func() {
		for range 3 {
			want = read(listen)
		}
	})
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := playerOf(t, file, 1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Listen(ctx, l) }()
	for range 5 {
		if got := read(l.Addr().String()); !slices.Equal(got, want) {
			t.Fatalf("the registers are %v, the slave's were %v", got, want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestWhatACameraPushesIsCapturedAndPushedAgain(t *testing.T) {
	var bodies [][]byte
	status := http.StatusOK
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/cameras/secret" {
			t.Errorf("%s: %v", r.URL, err)
		}
		bodies = append(bodies, b)
		w.WriteHeader(status)
	}))
	defer host.Close()
	listen := address(t)
	picture := bytes.Repeat([]byte{0xFF, 0xD8, 0, 1}, 50_000)
	file := captured(t, captureCommand{Device: host.Listener.Addr().String(), Listen: listen, Calls: true}, listens(listen), func() {
		for range 3 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listen+"/cameras/secret", bytes.NewReader(picture))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
				t.Fatal(resp.Status, err)
			}
		}
	})
	for _, refused := range []bool{false, true} {
		bodies, status = nil, map[bool]int{false: http.StatusOK, true: http.StatusForbidden}[refused]
		r := playerOf(t, file, 0)
		if err := r.Call(t.Context(), host.Listener.Addr().String()); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); refused && r.Refused.Load() < 3; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d pushes were refused, want 3", r.Refused.Load())
			}
		}
		if len(bodies) != 3 || !bytes.Equal(bodies[2], picture) {
			t.Errorf("%d pushes came, the last with %d bytes", len(bodies), len(bodies[len(bodies)-1]))
		}
	}
}

func TestACaptureEndsAtItsLimitAndSaysSo(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // taken down with the test
	go func() {
		c, err := l.Accept()
		for err == nil {
			_, err = c.Write(make([]byte, 4096))
		}
	}()
	c := captureCommand{Device: l.Addr().String(), Output: filepath.Join(t.TempDir(), "it.capture"), Limit: 1}
	if err := c.run(t.Context()); !errors.Is(err, errLimit) {
		t.Fatalf("error %v", err)
	}
	if st, err := os.Stat(c.Output); err != nil || st.Size() > 1_200_000 || st.Size() < 500_000 {
		t.Fatalf("%d bytes, %v", st.Size(), err)
	}
}

func TestACaptureThatCannotBeSaysWhy(t *testing.T) {
	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]captureCommand{
		"--calls wants --listen":          {Device: "127.0.0.1:1", Calls: true},
		"--link goes with a serial line":  {Device: "127.0.0.1:1", Link: "/tmp/x"},
		"--listen goes with a network":    {Device: "/dev/ttyUSB0", Listen: "127.0.0.1:0"},
		"file exists":                     {Device: "127.0.0.1:1", Output: taken},
		"check the cable and the adapter": {Device: "/dev/serial/nobody", Baud: 9600, Frame: "8N1"},
	} {
		if c.Output == "" {
			c.Output = filepath.Join(t.TempDir(), "it.capture")
		}
		if err := c.run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := os.Stat(c.Output); c.Output != taken && err == nil {
			t.Errorf("%s: a file with nothing in it is left behind", want)
		}
	}
	if _, err := os.Stat(taken); err != nil {
		t.Errorf("the file that was there is gone: %v", err)
	}
	for want, text := range map[string]string{
		"is no capture":         "hello\n",
		"is empty":              "",
		"version 9":             `{"axlegate_capture":9}` + "\n",
		"bytes from \"nobody\"": `{"axlegate_capture":1}` + "\n" + `{"at_ns":1,"conn":1,"from":"nobody","hex":"00"}` + "\n",
		"line 3: connection 1 at 1ns after 2ns": `{"axlegate_capture":1}` + "\n" + `{"at_ns":2,"conn":1,"from":"device","hex":"00"}` + "\n" +
			`{"at_ns":1,"conn":1,"from":"device","hex":"00"}` + "\n",
		"line 2: encoding/hex": `{"axlegate_capture":1}` + "\n" + `{"at_ns":2,"conn":1,"from":"device","hex":"0g"}` + "\n",
	} {
		if _, _, err := simulator.ReadReplay(strings.NewReader(text), 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	cut := `{"axlegate_capture":1}` + "\n" + `{"at_ns":2,"conn":1,"from":"device","hex":"00"}` + "\n" + `{"at_ns":3,"co`
	r, why, err := simulator.ReadReplay(strings.NewReader(cut), 1)
	if err != nil || !errors.Is(why, capture.ErrCut) || r.Lasts() != 2 {
		t.Errorf("a capture whose writer was killed: %v, %v", why, err)
	}
}
