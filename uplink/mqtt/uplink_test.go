package mqtt_test

import (
	"slices"
	"testing"

	"github.com/axlegate/axlegate/uplink"
)

func TestMessagesArriveInOrderAndReceiptsComeBack(t *testing.T) {
	b, _ := startBroker(t, "127.0.0.1:0", t.TempDir(), "north-1")
	in := &inbox{}
	c, _ := startCenter(t, centerConfig(t, b.Addr(), in, "north-1"))
	receipts := make(chan []byte, 8)
	cfg := siteConfig(t, b.Addr(), "north-1")
	cfg.OnReceipt = func(jws []byte) { receipts <- jws }
	s, stop := startSite(t, cfg)

	want := numbered(200)
	for _, p := range want {
		if err := s.Publish(t.Context(), []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all messages", func() bool { return len(in.payloads("north-1")) >= len(want) })
	if got := in.payloads("north-1"); !slices.Equal(got, want) {
		t.Fatalf("got %d messages out of order or twice: %q", len(got), got)
	}
	if err := c.SendReceipt(t.Context(), "north-1", []byte("receipt 1")); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, "receipt", receipts); string(got) != "receipt 1" {
		t.Fatalf("receipt %q", got)
	}
	until(t, "online", func() bool { return in.lastStatus().State == uplink.Online })
	stop.halt("site")
	until(t, "offline", func() bool { return in.lastStatus().State == uplink.Offline })

	again, _ := startSite(t, cfg) // an absent site learns the receipt as soon as it is back
	if got := receive(t, "retained receipt", receipts); string(got) != "receipt 1" {
		t.Fatalf("receipt %q", got)
	}
	if st := again.Stats(); !st.Connected || st.Connections != 1 {
		t.Fatalf("stats %+v", st)
	}
	if st := c.Stats(); st.Messages != 200 || st.Failed != 0 || st.Receipts != 1 || st.Connected != 1 {
		t.Fatalf("stats %+v", st)
	}
}
