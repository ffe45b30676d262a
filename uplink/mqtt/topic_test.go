package mqtt_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/mqtt"
)

// taker takes messages, those that begin with "busy" at the third time.
type taker struct {
	mu      sync.Mutex
	taken   []string
	refused int
	up      bool
}

func (x *taker) take(_ context.Context, message []byte) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if strings.HasPrefix(string(message), "busy") && x.refused < 2 {
		x.refused++
		return false
	}
	x.taken = append(x.taken, string(message))
	return true
}

func (x *taker) has(want ...string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Equal(x.taken, want)
}

func (x *taker) set(up bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.up = up
}

func (x *taker) isUp() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.up
}

func TestAnotherSystemsTopicIsReadInOrderAndWhatCameMeanwhileIsKept(t *testing.T) {
	b := testenv.NewMosquitto(t)
	x := &taker{}
	cfg := mqtt.TopicConfig{
		Broker: "tcp://" + b.Addr(), Topic: "checkpoint/+/weighings", ClientID: "north-1-static", Take: x.take, Up: func() { x.set(true) }, Down: func(error) { x.set(false) },
		Logger: testLog(t), RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond,
	}
	start := func() *running {
		r := run(t, "topic", func(ctx context.Context) error { return mqtt.RunTopic(ctx, cfg) })
		until(t, "the topic is subscribed", x.isUp)
		return r
	}
	first := start()
	them, err := intruder(t, b.Addr(), "", "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	tell := func(text string) { send(t, them, "checkpoint/a/weighings", false, text) }
	tell("1")
	tell("busy 2")
	tell(strings.Repeat("x", uplink.MaxMessage+1))
	tell("3")
	until(t, "messages in order, one at the third time", func() bool { return x.has("1", "busy 2", "3") })
	first.halt("topic")
	x.set(false)
	tell("4")
	tell("5")
	start()
	until(t, "what came meanwhile", func() bool { return x.has("1", "busy 2", "3", "4", "5") })
	b.Kill(t)
	until(t, "the loss is told", func() bool { return !x.isUp() })
	b.Start(t)
	until(t, "the topic is subscribed again", x.isUp)
}

func TestATopicThatCanNeverBeReadIsAnErrorAtOnce(t *testing.T) {
	for _, c := range []mqtt.TopicConfig{
		{Topic: "a", ClientID: "b"}, {Broker: "tcp://192.0.2.1:1883", Topic: "a", ClientID: "b"}, {Broker: "tcp://127.0.0.1:1", ClientID: "b"},
		{Broker: "tcp://127.0.0.1:1", Topic: "a"}, {Broker: "tcp://127.0.0.1:1", Topic: "a b", ClientID: "b"},
	} {
		if err := mqtt.RunTopic(t.Context(), c); err == nil {
			t.Errorf("%s: no error", fmt.Sprint(c.Broker, c.Topic, c.ClientID))
		}
	}
}
