package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/axlegate/axlegate/center/intake"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/uplink"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// BenchmarkIntakeOnPostgres measures records from the first publish until the last is verified, committed (synced)
// and receipted, in segments of 16 and of 1, through a Mosquitto, fresh for each, into one PostgreSQL with the settings
// that it comes with. Beside it, in the same run and on the same records: Telegraf, which neither verifies nor knows
// duplicates, from the same kind of broker into one table of the same server; a subscriber that only acknowledges; and a
// bare COPY. A process of its own publishes, without waiting for anything but the broker; its share of the
// processors is told apart, and must be thought of where the machine has few.
func BenchmarkIntakeOnPostgres(b *testing.B) {
	telegraf := peer(b)
	pg := testenv.NewPostgres(b)
	for _, each := range []int{16, 1} {
		b.Run(fmt.Sprintf("segments of %d", each), func(b *testing.B) {
			records := ingestRecords / 2
			if each > 1 {
				records = ingestRecords
			}
			for b.Loop() {
				seen := map[string][]float64{}
				for round := range ingestRounds {
					g := func(kind, tag string) generatorConfig {
						return generatorConfig{Kind: kind, Each: each, Records: records, Tag: fmt.Sprintf("%s%d-%d", tag, each, round)}
					}
					bare := bareBroker(b, g(kindSegments, "bare"))
					copied := bareCopy(b, pg.Database(b), records)
					peer := telegraf.ingest(b, pg.Database(b), g(kindTelegraf, "peer"))
					ours := ingest(b, pg.Database(b), g(kindSegments, "ours"))
					for unit, v := range map[string]float64{
						"records/s": ours.rate(), "telegraf-records/s": peer.rate(), "copy-records/s": copied.rate(), "broker-records/s": bare.rate(),
						"of-telegraf": ours.rate() / peer.rate(), "of-copy": ours.rate() / copied.rate(), "of-broker": ours.rate() / bare.rate(),
						"generator-cpus":          ours.generator.Seconds() / ours.took.Seconds(),
						"telegraf-generator-cpus": peer.generator.Seconds() / peer.took.Seconds(),
						"intake-cpus":             ours.own.Seconds() / ours.took.Seconds(),
						"bytes/record":            float64(ours.size),
						"ns/op":                   0,
					} {
						seen[unit] = append(seen[unit], v)
					}
				}
				for unit, v := range seen {
					slices.Sort(v)
					b.ReportMetric(v[len(v)/2], unit)
				}
			}
		})
	}
}

// ingestRounds is how often each is measured, in turns, so that what else the machine does hits all. The medians
// are printed, of rates and of ratios each by itself.
const ingestRounds = 3

// ingestRecords is how many records of 16 in a segment are sent; of 1, half as many.
const ingestRecords = 96 * generatorSites * 16

// pass is one measured run.
type pass struct {
	records   int
	took      time.Duration
	generator time.Duration // of processor time, of the process that publishes
	own       time.Duration // of processor time, of this process
	size      int           // bytes of a record
}

func (p pass) rate() float64 { return float64(p.records) / p.took.Seconds() }

// ingest is the intake of a centre, all slots, on its store.
func ingest(b *testing.B, url string, cfg generatorConfig) pass {
	b.Helper()
	var end func()
	cfg.Broker, end = startMosquitto(b)
	defer end()
	s, err := store.OpenPostgres(b.Context(), store.Config{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a benchmark's scratch database
	var link *mqtt.Center
	var receipted atomic.Int64
	last := make(chan time.Time, 1)
	ends := map[string]uint64{} // of each site, once it is known
	g := startGenerator(b, cfg)
	for n := range generatorSites {
		ends[generatorSite(cfg.Tag, n)] = uint64(cfg.Records / generatorSites)
	}
	centre, err := seal.GenerateSigner()
	if err != nil {
		b.Fatal(err)
	}
	in, err := intake.New(intake.Config{
		Store: s, Signer: centre, Sites: func(wim.SiteID) ([]*seal.Verifier, bool) { return []*seal.Verifier{g.key}, true },
		SendReceipt: func(ctx context.Context, site string, jws []byte) error {
			err := link.SendReceipt(ctx, site, jws)
			if err != nil {
				return err
			}
			r, err := seal.VerifyReceipt(string(jws), centre.Verifier())
			if err == nil && r.Seq == ends[site] && receipted.Add(1) == generatorSites {
				last <- time.Now()
			}
			return err
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	var leave func()
	link, leave = serveSlots(b, cfg.Broker, in.HandleMessages)
	defer leave()
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()
	before := cpuOf()
	p := g.publish(b)
	p.took = wait(b, "receipts", link.Stats, last).Sub(g.began)
	p.own = cpuOf() - before
	if st := link.Stats(); os.Getenv("AXLEGATE_BENCH_VERBOSE") != "" {
		b.Logf("%+v", st)
	}
	return p
}

// serveSlots connects all slots until stop is called.
func serveSlots(b *testing.B, broker string, take func(context.Context, []uplink.Message) error) (link *mqtt.Center, stop func()) {
	b.Helper()
	slots := make([]int, uplink.Slots)
	for i := range slots {
		slots[i] = i
	}
	link = mqtt.NewCenter(mqtt.CenterConfig{Broker: "tcp://" + broker, Username: "intake", Slots: slots, OnMessages: take})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- link.Run(ctx) }()
	wait(b, "subscription", link.Stats, link.Ready())
	return link, func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

func wait[T any](b *testing.B, what string, stats func() mqtt.CenterStats, ch <-chan T) T {
	b.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(20 * time.Second):
		b.Fatalf("%s: it did not come to its end; %+v", what, stats())
	}
	panic("not reached")
}

// bareBroker takes the messages off the broker and does nothing with them.
func bareBroker(b *testing.B, cfg generatorConfig) pass {
	b.Helper()
	var end func()
	cfg.Broker, end = startMosquitto(b)
	defer end()
	last := make(chan time.Time, 1)
	var taken atomic.Int64
	messages := int64(cfg.Records / cfg.Each)
	g := startGenerator(b, cfg)
	stop := false
	link, leave := serveSlots(b, cfg.Broker, func(_ context.Context, batch []uplink.Message) error {
		mine := int64(0)
		for _, m := range batch {
			if strings.HasPrefix(m.Site, cfg.Tag) {
				mine++
			}
		}
		if taken.Add(mine) == messages && !stop {
			stop = true
			last <- time.Now()
		}
		return nil
	})
	defer leave()
	p := g.publish(b)
	p.took = wait(b, "messages", link.Stats, last).Sub(g.began)
	return p
}

// bareCopy is what the database takes of as many rows of as many bytes, in batches of a thousand, synced.
func bareCopy(b *testing.B, url string, records int) pass {
	b.Helper()
	c, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(b.Context())) //nolint:errcheck // a benchmark's scratch database
	if _, err := c.Exec(b.Context(), `CREATE TABLE bare (id BIGINT PRIMARY KEY, raw BYTEA NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	raw := generatorRecords(b, "copy-0", 64)
	began := time.Now()
	for from := 0; from < records; from += 1000 {
		n := min(1000, records-from)
		i := 0
		if _, err := c.CopyFrom(b.Context(), pgx.Identifier{"bare"}, []string{"id", "raw"}, pgx.CopyFromFunc(func() ([]any, error) {
			if i == n {
				return nil, nil
			}
			i++
			return []any{int64(from + i), raw[i%len(raw)].Raw}, nil
		})); err != nil {
			b.Fatal(err)
		}
	}
	return pass{records: records, took: time.Since(began)}
}

// telegraf is the peer's program.
type telegraf string

func peer(b *testing.B) telegraf {
	b.Helper()
	for _, p := range []string{os.Getenv("TELEGRAF"), "../../.bin/telegraf-v1.37.2"} {
		abs, err := filepath.Abs(p)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := os.Stat(abs); p != "" && err == nil {
			return telegraf(abs)
		}
	}
	b.Fatal("the peer is not there; build it with make bench-peers")
	return ""
}

// ingest lets Telegraf take the same records, as JSON, into one table, with the record's bytes in one column.
func (bin telegraf) ingest(b *testing.B, url string, cfg generatorConfig) pass {
	b.Helper()
	var end func()
	cfg.Broker, end = startMosquitto(b)
	defer end()
	conf := fmt.Sprintf(`[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 1000
  metric_buffer_limit = 1000000
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://%s"]
  topics = ["axlegate/v1/+/+/segments"]
  client_id = "telegraf-%s"
  topic_tag = ""
  qos = 1
  persistent_session = true
  max_undelivered_messages = 4000
  data_format = "json"
  json_string_fields = ["raw"]
  tag_keys = ["site"]
  json_time_key = "t"
  json_time_format = "unix_ns"
  name_override = "passage"
[[outputs.postgresql]]
  connection = %q
`, cfg.Broker, cfg.Tag, url)
	path := b.TempDir() + "/telegraf.conf"
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		b.Fatal(err)
	}
	defer start(b, string(bin), "--config", path)()
	g := startGenerator(b, cfg)
	c, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(b.Context())) //nolint:errcheck // a benchmark's scratch database
	time.Sleep(3 * time.Second)                       // it does not say when it has subscribed
	out := g.publish(b)
	// It tells nobody when it is done. Ten counts a second cost little, and only after the last was published.
	for limit := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var n int
		err := c.QueryRow(b.Context(), `SELECT count(*) FROM passage`).Scan(&n)
		if err == nil && n >= cfg.Records {
			break
		}
		if time.Now().After(limit) {
			b.Fatalf("telegraf stored %d of %d records: %v", n, cfg.Records, err)
		}
	}
	out.took = time.Since(g.began)
	return out
}

// generatorRecords are sealed records of one site, with their chain.
func generatorRecords(b testing.TB, site string, n int) []seal.Sealed {
	key, err := seal.GenerateSigner()
	if err != nil {
		b.Fatal(err)
	}
	w := newWriter(b, key, site)
	f, v := ingestFacts(b)
	w.start()
	out := make([]seal.Sealed, n)
	for i := range out {
		out[i] = w.passage(f, v)
	}
	return out
}
