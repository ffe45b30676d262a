package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/uplink/mqtt"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// The generator is this test binary once more: a process of its own, so that what it costs is told apart.
const (
	generatorEnv   = "AXLEGATE_BENCH_GENERATOR"
	generatorSites = 32
)

// What a generator publishes.
const (
	kindSegments = "segments" // signed, for the intake
	kindTelegraf = "telegraf" // the same records as JSON that Telegraf reads
)

// generatorConfig is what a generator is told.
type generatorConfig struct {
	Broker, Kind, Tag string
	Each, Records     int    // in a segment, and of all sites
	Key               string // the file of the sites' key, which the generator writes
}

func generatorSite(tag string, n int) string { return tag + "-" + strconv.Itoa(n) }

// generator is a generator's process, which has everything signed and is connected.
type generator struct {
	cmd   *exec.Cmd
	in    *os.File
	out   *bufio.Scanner
	cfg   generatorConfig
	key   *seal.Verifier
	began time.Time
}

// told is what the generator says at its end.
type told struct {
	CPU  time.Duration
	Size int
}

func startGenerator(b *testing.B, cfg generatorConfig) *generator {
	b.Helper()
	cfg.Key = filepath.Join(b.TempDir(), "key")
	j, err := json.Marshal(cfg)
	if err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self, "-test.run=^$")
	cmd.Env = append(os.Environ(), generatorEnv+"="+string(j))
	cmd.Stdin, cmd.Stderr = r, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	g := &generator{cmd: cmd, in: w, out: bufio.NewScanner(out), cfg: cfg}
	b.Cleanup(func() { _ = r.Close(); _ = w.Close() }) // pipes of a process that has ended
	if !g.out.Scan() {
		b.Fatalf("the generator said nothing: %v", g.out.Err())
	}
	if cfg.Kind == kindSegments {
		if g.key, err = seal.ReadVerifier(cfg.Key); err != nil {
			b.Fatal(err)
		}
	}
	return g
}

// publish lets it publish all, and returns when the broker has acknowledged the last.
func (g *generator) publish(b *testing.B) pass {
	b.Helper()
	g.began = time.Now()
	if _, err := g.in.WriteString("go\n"); err != nil {
		b.Fatal(err)
	}
	if !g.out.Scan() {
		b.Fatalf("the generator ended early: %v", g.out.Err())
	}
	var t told
	if err := json.Unmarshal(g.out.Bytes(), &t); err != nil {
		b.Fatalf("the generator said %q: %v", g.out.Text(), err)
	}
	if err := g.cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return pass{records: g.cfg.Records, generator: t.CPU, size: t.Size}
}

// TestMain is the generator, or the site with a backlog, where it is told to be.
func TestMain(m *testing.M) {
	if j := os.Getenv(drainEnv); j != "" {
		if err := drain([]byte(j)); err != nil {
			fmt.Fprintln(os.Stderr, "site with a backlog:", err)
			os.Exit(1)
		}
		return
	}
	j := os.Getenv(generatorEnv)
	if j == "" {
		os.Exit(m.Run())
	}
	if err := generate([]byte(j)); err != nil {
		fmt.Fprintln(os.Stderr, "generator:", err)
		os.Exit(1)
	}
}

func generate(j []byte) error {
	var cfg generatorConfig
	if err := json.Unmarshal(j, &cfg); err != nil {
		return err
	}
	key, err := seal.GenerateSigner()
	if err != nil {
		return err
	}
	if err := writePublic(cfg.Key, key.Verifier()); err != nil {
		return err
	}
	var t told
	var sites []*mqtt.Site
	var mail [][][]byte
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var running sync.WaitGroup
	for n := range generatorSites {
		name := generatorSite(cfg.Tag, n)
		w := newWriter(loud{}, key, name)
		messages, size, err := messagesOf(cfg, w)
		if err != nil {
			return err
		}
		t.Size = size
		s := mqtt.NewSite(mqtt.SiteConfig{Broker: "tcp://" + cfg.Broker, Site: name, Chain: w.chain.String, Username: name, BootID: "1", OnReceipt: func([]byte) {}})
		running.Go(func() {
			if err := s.Run(ctx); err != nil {
				fmt.Fprintln(os.Stderr, "generator:", err)
			}
		})
		<-s.Up()
		sites, mail = append(sites, s), append(mail, messages)
	}
	fmt.Println("ready")
	if !bufio.NewScanner(os.Stdin).Scan() {
		return nil // not wanted any more
	}
	before := cpuOf()
	var all sync.WaitGroup
	for i, s := range sites {
		all.Go(func() {
			for _, m := range mail[i] {
				if err := s.Publish(ctx, m); err != nil {
					fmt.Fprintln(os.Stderr, "generator:", err)
					return
				}
			}
		})
	}
	all.Wait()
	t.CPU = cpuOf() - before
	stop()
	running.Wait()
	return json.NewEncoder(os.Stdout).Encode(t)
}

// loud ends a generator that cannot seal.
type loud struct{ testing.TB }

func (loud) Error(args ...any) { panic(fmt.Sprint(args...)) }

// messagesOf makes everything that one site publishes.
func messagesOf(cfg generatorConfig, w *writer) (messages [][]byte, size int, err error) {
	f, v, err := makeFacts()
	if err != nil {
		return nil, 0, err
	}
	for range cfg.Records / generatorSites / cfg.Each {
		records := make([]seal.Sealed, cfg.Each)
		for i := range records {
			if w.seq == 0 {
				records[i] = w.start()
				continue
			}
			records[i] = w.passage(f, v)
		}
		size = len(records[cfg.Each-1].Raw)
		if cfg.Kind == kindSegments {
			messages = append(messages, w.segment(records...))
			continue
		}
		var objects []map[string]any
		for _, r := range records {
			objects = append(objects, map[string]any{"site": string(w.site), "seq": w.seq, "t": 1780272000000000000 + int64(len(messages)*cfg.Each+len(objects)), "raw": string(r.Raw)})
		}
		j, err := json.Marshal(objects)
		if err != nil {
			return nil, 0, err
		}
		messages = append(messages, j)
	}
	return messages, size, nil
}

// makeFacts is a registered train under every limit, as most are, and what is said of it.
func makeFacts() (*wim.Facts, *wim.Verdict, error) {
	y, err := configs.Rules("cn-2016-62")
	if err != nil {
		return nil, nil, err
	}
	set, err := rules.Load("cn-2016-62", y)
	if err != nil {
		return nil, nil, err
	}
	f := sixAxles()
	v := &wim.Verdict{}
	set.Judge(f, v)
	return f, v, nil
}

// cpuOf is the processor time of this process.
func cpuOf() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ingestFacts(b testing.TB) (*wim.Facts, *wim.Verdict) {
	b.Helper()
	f, v, err := makeFacts()
	if err != nil {
		b.Fatal(err)
	}
	return f, v
}

func writePublic(path string, v *seal.Verifier) error {
	p, err := v.MarshalPEM()
	if err != nil {
		return err
	}
	return os.WriteFile(path, p, 0o600)
}
