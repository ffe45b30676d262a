package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/internal/testenv"
	"github.com/axlegate/axlegate/uplink/linktest"
	"github.com/axlegate/axlegate/wim"
)

// world is one running installation and what it takes to break it.
type world struct {
	tb      testing.TB
	dir     string
	form    form
	means   means
	stand   *stand.Stand
	pg      *testenv.PostgresInstance
	broker  *testenv.Broker
	links   map[string]*linktest.Proxy
	edges   map[string]*unit
	sims    []*unit
	centres map[string]*unit
	note    func(string, ...any)

	bin    string
	dumps  int
	backup string // the last one
}

const (
	// perMinute is how many vehicles pass a lane in a minute of the run.
	perMinute = 120
	// ordinary is how many do at a busy site: the run's traffic is given in hours of that.
	ordinary = 10
	// diskBytes is the size of the small site's disk, of which reserveMiB are held back.
	diskBytes  = 64 << 20
	reserveMiB = 4
)

// build lays a world out and starts it.
func build(t *testing.T, bin, dir string, f form, m means, seed uint64, vehicles int, note func(string, ...any)) *world {
	t.Helper()
	w := &world{tb: t, dir: dir, bin: bin, form: f, means: m, links: map[string]*linktest.Proxy{}, edges: map[string]*unit{}, centres: map[string]*unit{}, note: note}
	c := stand.Config{Dir: filepath.Join(dir, "stand")}
	for i, id := range siteIDs() {
		c.Sites = append(c.Sites, stand.SiteConfig{Site: id, Road: "G5", Seed: seed + uint64(i), PerMinute: perMinute, Vehicles: vehicles, Overloaded: 300, Fleet: 200, Speedup: 8, Faults: true})
	}
	c.Sites[1].Ring = 1 // both kinds of scale in every run
	if f == cluster {
		w.pg, w.broker = testenv.NewPostgres(t), testenv.NewMosquitto(t)
		c.Postgres, c.Broker, c.Second = w.pg.Database(t), w.broker.URL(), true
	}
	c.BrokerFor = func(id wim.SiteID, broker string) string {
		p, err := linktest.Start(strings.TrimPrefix(broker, "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		w.links[string(id)] = p
		return "tcp://" + p.Addr()
	}
	s, err := stand.Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	w.stand = s
	t.Cleanup(func() {
		for _, p := range w.links {
			p.Close() //nolint:errcheck // the run is over
		}
	})
	w.furnish(t)
	logs := filepath.Join(dir, "logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	daemon := func(name, program string, args ...string) *unit {
		u, err := newUnit(name, logs, filepath.Join(bin, program), note, args...)
		if err == nil {
			err = u.start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := u.kill(); err != nil {
				t.Error(err)
			}
		})
		return u
	}
	w.centres["first"] = daemon("centre-first", "axlegate-center", s.Center)
	if f == cluster {
		w.centres["second"] = daemon("centre-second", "axlegate-center", s.Second.Config)
	}
	for i := range s.Sites {
		site := &s.Sites[i]
		w.sims = append(w.sims, daemon("sim-"+string(site.Site), "axlegate-sim", site.Scenario, "--truth", site.Truth, "--registrations", site.Registrations))
		w.await(t, "the registration table of "+string(site.Site), func() (bool, string) {
			_, err := get(t.Context(), "http://"+site.Control+"/state")
			return err == nil, fmt.Sprint(err)
		})
		w.edges[string(site.Site)] = daemon("edge-"+string(site.Site), "axlegate-edge", site.Edge)
	}
	for _, site := range s.Sites {
		w.await(t, "the first receipt at "+string(site.Site), func() (bool, string) {
			n, _ := metric(t.Context(), site.Listen, "axlegate_edge_receipts_total")
			return n > 0, fmt.Sprint(n)
		})
	}
	return w
}

func (w *world) await(t *testing.T, what string, cond func() (bool, string)) {
	t.Helper()
	if err := poll(time.Minute, cond); err != nil {
		t.Fatalf("%s: %v; logs are in %s", what, err, w.dir)
	}
}

// furnish gives each site a clock that can be set, and the small one a disk of its own.
func (w *world) furnish(t *testing.T) {
	t.Helper()
	for _, site := range w.stand.Sites {
		text, err := os.ReadFile(site.Edge)
		if err != nil {
			t.Fatal(err)
		}
		before := text
		text = bytes.Replace(text, []byte("clock: host"), []byte("clock: simulated\nclock_file: "+string(site.Site)+".clock"), 1)
		text = append(text, fmt.Sprintf("reserve_mb: %d\n", reserveMiB)...)
		if bytes.Equal(before, text) {
			t.Fatal("the stand's configuration names no clock")
		}
		if err := os.WriteFile(site.Edge, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.ownCopies(t)
	if !w.means.disks {
		return
	}
	dir := filepath.Join(w.stand.Dir, small)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("axlegate-chaos", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskBytes)); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
}

// ownCopies gives the centres copies of the sites' public keys, as they have in the field: those beside the private
// ones change hands with them.
func (w *world) ownCopies(t *testing.T) {
	t.Helper()
	for _, site := range w.stand.Sites {
		name := string(site.Site) + ".pem.pub"
		if err := copyFile(filepath.Join(w.stand.Dir, name), filepath.Join(w.stand.Dir, "first-"+name)); err != nil {
			t.Fatal(err)
		}
		for _, config := range []string{w.stand.Center, w.stand.Second.Config} {
			if config == "" {
				continue
			}
			text, err := os.ReadFile(config)
			if err == nil {
				err = os.WriteFile(config, bytes.ReplaceAll(text, []byte("["+name), []byte("[first-"+name)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// rotateKey lays a new key beside a site's own and kills its daemon: from its next start it changes over. While an
// earlier change waits for the centre there is nothing to lay, and the daemon is only killed.
func (w *world) rotateKey(ctx context.Context, site string) error {
	key := filepath.Join(w.stand.Dir, site+".pem")
	if _, err := os.Stat(key + ".next"); errors.Is(err, fs.ErrNotExist) {
		if out, err := exec.CommandContext(ctx, filepath.Join(w.bin, "axlegate"), "keys", "rotate", key).CombinedOutput(); err != nil {
			return fmt.Errorf("keys rotate: %w: %s", err, bytes.TrimSpace(out))
		}
	} else {
		w.note("an earlier change of the key of %s is still on its way", site)
	}
	return errors.Join(w.edges[site].kill(), w.edges[site].start())
}

// do begins a fault.
func (w *world) do(ctx context.Context, f fault) error {
	switch f.Kind {
	case killEdge:
		return w.edges[f.Target].kill()
	case killCentre:
		return w.centres[f.Target].kill()
	case killBroker:
		w.broker.Kill(w.tb)
		return nil
	case wipeBroker:
		return w.wipe()
	case killDatabase:
		return w.killDatabase(ctx)
	case cutLink:
		w.links[f.Target].Cut()
	case swallowUp:
		w.links[f.Target].Swallow(linktest.Up)
	case swallowDown:
		w.links[f.Target].Swallow(linktest.Down)
	case delayLink:
		w.links[f.Target].Delay(f.By)
	case partSite:
		return partition(ctx, portOf(w.links[f.Target].Addr()))
	case partDatabase:
		return partition(ctx, w.pg.Port)
	case fillDisk:
		return w.fill()
	case setClock:
		return w.clock(f.Target, f.By.String())
	case backUp:
		return w.takeBackup()
	case restore:
		return w.restore()
	case killEverything:
		return w.powerCut(ctx)
	case rotateKey:
		return w.rotateKey(ctx, f.Target)
	}
	return nil
}

// undo ends a fault.
func (w *world) undo(ctx context.Context, f fault) error {
	switch f.Kind {
	case killEdge:
		return w.edges[f.Target].start()
	case killCentre:
		return w.centres[f.Target].start()
	case killBroker:
		w.broker.Start(w.tb)
	case killDatabase:
		w.pg.Start(w.tb)
	case cutLink, swallowUp, swallowDown, delayLink:
		w.links[f.Target].Heal()
	case partSite:
		return heal(ctx, portOf(w.links[f.Target].Addr()))
	case partDatabase:
		return heal(ctx, w.pg.Port)
	case fillDisk:
		return os.Remove(filepath.Join(w.stand.Dir, small, "filler"))
	case setClock:
		return w.clock(f.Target, "")
	case wipeBroker, backUp, restore, killEverything, rotateKey:
	}
	return nil
}

// wipe has the broker lose everything that it kept.
func (w *world) wipe() error {
	if w.form == cluster {
		w.broker.Wipe(w.tb)
		return nil
	}
	kept := filepath.Join(w.stand.Dir, "center", "broker")
	if _, err := os.Stat(kept); err != nil {
		return fmt.Errorf("what the embedded broker keeps: %w", err)
	}
	c := w.centres["first"]
	return errors.Join(c.kill(), os.RemoveAll(kept), c.start())
}

// killDatabase kills the postmaster and waits until the last of its children has noticed.
func (w *world) killDatabase(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(w.pg.Data, "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return fmt.Errorf("postmaster.pid: %w", err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the postmaster: %w", err)
	}
	w.pg.Kill(w.tb) // waits for what is dead
	return poll(20*time.Second, func() (bool, string) {
		n := w.backends(ctx)
		return n == 0, fmt.Sprintf("%d processes of the killed database are left", n)
	})
}

// backends counts the processes that work in the database's folder.
func (w *world) backends(ctx context.Context) (n int) {
	all, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil || ctx.Err() != nil {
		return 0
	}
	for _, link := range all {
		if at, err := os.Readlink(link); err == nil && at == w.pg.Data {
			n++
		}
	}
	return n
}

// fill takes all that is left of the small site's disk.
func (w *world) fill() (err error) {
	f, err := os.Create(filepath.Join(w.stand.Dir, small, "filler"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/16]
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) clock(site, by string) error {
	path := filepath.Join(w.stand.Dir, site+".clock")
	if err := os.WriteFile(path+".new", []byte(by), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (w *world) takeBackup() error {
	w.dumps++
	w.backup = filepath.Join(w.dir, fmt.Sprintf("backup-%d", w.dumps))
	if w.form == cluster {
		w.pg.Dump(w.tb, w.stand.Store, w.backup) // while it runs
		return nil
	}
	c := w.centres["first"]
	err := c.kill()
	for _, suffix := range storeFiles() {
		err = errors.Join(err, copyFile(w.stand.Store+suffix, w.backup+suffix))
	}
	return errors.Join(err, c.start())
}

// storeFiles are the files of an embedded store that was killed.
func storeFiles() []string { return []string{"", "-wal"} }

// restore puts the last backup in the place of what the centre holds.
func (w *world) restore() error {
	var err error
	for _, c := range w.centres {
		err = errors.Join(err, c.kill())
	}
	if w.form == cluster {
		url := w.pg.Database(w.tb)
		w.pg.Restore(w.tb, w.backup, url)
		w.stand.Store = url
		err = errors.Join(err, os.WriteFile(filepath.Join(w.stand.Dir, "store.url"), []byte(url+"\n"), 0o600))
	} else {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if e := os.Remove(w.stand.Store + suffix); !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
		for _, suffix := range storeFiles() {
			err = errors.Join(err, copyFile(w.backup+suffix, w.stand.Store+suffix))
		}
	}
	for _, c := range w.centres {
		err = errors.Join(err, c.start())
	}
	return err
}

// powerCut kills everything but the hardware at once, and starts it again.
func (w *world) powerCut(ctx context.Context) error {
	var err error
	var all []*unit
	for _, of := range []map[string]*unit{w.edges, w.centres} {
		for _, u := range of {
			all = append(all, u)
			err = errors.Join(err, u.kill())
		}
	}
	if w.form == cluster {
		w.broker.Kill(w.tb)
		err = errors.Join(err, w.killDatabase(ctx))
		w.broker.Start(w.tb)
		w.pg.Start(w.tb)
	}
	for _, u := range all {
		err = errors.Join(err, u.start())
	}
	return err
}

// copyFile copies a file; one that is not there is not copied.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// passed tells how many vehicles have passed, and whether all have.
func (w *world) passed(ctx context.Context) (vehicles int, done bool) {
	done = true
	for _, s := range w.stand.Sites {
		var st struct {
			Vehicles int  `json:"vehicles"`
			Done     bool `json:"done"`
		}
		body, err := get(ctx, "http://"+s.Control+"/state")
		if err != nil || json.Unmarshal([]byte(body), &st) != nil {
			return vehicles, false
		}
		vehicles, done = vehicles+st.Vehicles, done && st.Done
	}
	return vehicles, done
}

// settled waits until a site has taken in all that its scales have, everything of it is receipted and no picture
// waits.
func (w *world) settled(ctx context.Context, s stand.Site, limit time.Duration) error {
	err := poll(limit, func() (bool, string) {
		open, ok := metric(ctx, s.Listen, "axlegate_edge_unreceipted_records")
		waiting, _ := metric(ctx, s.Listen, "axlegate_edge_pictures_waiting")
		if !ok || open > 0 || waiting > 0 {
			return false, fmt.Sprintf("unreceipted %v (known %v), pictures waiting %v", open, ok, waiting)
		}
		return standsAtScales(ctx, s)
	})
	if err != nil {
		return fmt.Errorf("%s does not settle after everything was healed: %w", s.Site, err)
	}
	return nil
}

// standsAtScales tells whether a site's journal stands where its scales do. Traffic is over: what a scale had
// still to say, after a silence say, is neither lost nor recorded until then.
func standsAtScales(ctx context.Context, s stand.Site) (bool, string) {
	rep, err := journal.Audit(ctx, s.Journal, nil)
	if err != nil {
		return false, err.Error()
	}
	for lane := 1; lane <= 2; lane++ {
		at := wim.DeviceCursor{Device: fmt.Sprintf("scale-%d", lane)}
		body, err := get(ctx, fmt.Sprintf("http://%s/lanes/%d/boot", s.Control, lane))
		if err == nil {
			err = json.Unmarshal([]byte(body), &at)
		}
		if err != nil {
			return false, err.Error()
		}
		if !slices.Contains(rep.Cursors, at) {
			return false, fmt.Sprintf("the scale stands at %+v, the journal at %+v", at, rep.Cursors)
		}
	}
	return true, ""
}

func portOf(addr string) int {
	_, port, _ := strings.Cut(addr, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		panic(err) // an address that a listener gave
	}
	return n
}

// partition drops all packets of a port on this run's loopback, both ways, without a word to either end.
func partition(ctx context.Context, port int) error {
	table := fmt.Sprintf("axlegate%d", port)
	return nft(ctx, fmt.Sprintf("table inet %s { chain out { type filter hook output priority 0; tcp dport %d drop; tcp sport %d drop; }; }", table, port, port))
}

func heal(ctx context.Context, port int) error {
	return nft(ctx, fmt.Sprintf("delete table inet axlegate%d", port))
}

func nft(ctx context.Context, rules string) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
