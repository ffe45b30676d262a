package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	seedFlag    = flag.Uint64("seed", 2, "what the plan of faults and the traffic are drawn from")
	minutesFlag = flag.Float64("minutes", 0, "how long faults and traffic last; 0 is a short run")
	formFlag    = flag.String("form", "", "single or cluster; empty: even seeds are single, odd ones clusters")
	patience    = flag.Duration("patience", 3*time.Minute, "how long a healed installation may take to have everything where it belongs")
)

// shortRun is how long faults and traffic last among all other tests.
const shortRun = 15 * time.Second

const inside = "AXLEGATE_CHAOS_INSIDE"

// TestChaos runs in namespaces of its own where the kernel gives them, so that it can drop packets and fill disks
// without anybody else on this machine noticing, and so that all ends with it.
func TestChaos(t *testing.T) {
	if how, ok := os.LookupEnv(inside); ok {
		bin := os.Getenv(inside + "_BIN")
		chaos(t, bin, means{partitions: strings.Contains(how, "net"), disks: strings.Contains(how, "mount")})
		return
	}
	if err := inNamespaces(t, buildDaemons(t), os.Stdout, os.Args[1:]); err != nil {
		t.Fatalf("the run above failed: %v", err)
	}
}

// inNamespaces makes a run with built daemons in a process of its own.
func inNamespaces(t *testing.T, bin string, out io.Writer, args []string) error {
	t.Helper()
	run := func(how string, as *syscall.SysProcAttr) error {
		cmd := exec.CommandContext(t.Context(), os.Args[0], append(slices.Clone(args), "-test.run=^TestChaos$", "-test.v", "-test.timeout=0")...)
		cmd.Env = append(os.Environ(), inside+"="+how, inside+"_BIN="+bin)
		cmd.Stdout, cmd.Stderr = out, out
		as.Pdeathsig = syscall.SIGTERM
		cmd.SysProcAttr = as
		return cmd.Run()
	}
	err := run("net, mount", &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET})
	if errors.Is(err, syscall.EPERM) {
		err = run("", &syscall.SysProcAttr{})
	}
	return err
}

// buildDaemons builds the programs that are broken.
func buildDaemons(t *testing.T, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build"}, flags...), "-o", dir+string(filepath.Separator), "./cmd/...")...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the daemons: %v\n%s", err, out)
	}
	return dir
}

// equip finds out what this run may do, and makes it ready.
func equip(ctx context.Context, m means) (means, string) {
	if !m.partitions {
		return m, "no namespaces may be made here: partitions and loss by proxy only, no full disk"
	}
	if out, err := exec.CommandContext(ctx, "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("this run's own loopback: %v %s", err, out)) // in a namespace without it nothing can run
	}
	if err := errors.Join(partition(ctx, 1), heal(ctx, 1)); err != nil {
		m.partitions = false
		return m, fmt.Sprintf("own mount namespace; partitions by proxy only: %v", err)
	}
	return m, "own network namespace with nftables, own mount namespace with a small disk; delay and loss by proxy"
}

// timeline is the run's log.
type timeline struct {
	mu    sync.Mutex
	f     io.Writer
	begun time.Time
}

func (l *timeline) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	fmt.Fprintf(l.f, "%s %+9.3fs  %s\n", now.Format("15:04:05.000"), now.Sub(l.begun).Seconds(), fmt.Sprintf(format, args...)) //nolint:errcheck // the run's result does not rest on it
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stdout, format+"\n", args...) //nolint:errcheck // nobody left to tell
}

func chaos(t *testing.T, bin string, m means) {
	seed, length := *seedFlag, time.Duration(*minutesFlag*float64(time.Minute))
	repeat := fmt.Sprintf("make chaos SEED=%d MINUTES=%g", seed, *minutesFlag)
	if length == 0 {
		length, repeat = shortRun, fmt.Sprintf("go test -run TestChaos ./internal/chaos -seed %d", seed)
	}
	f := form(*formFlag)
	if f == "" {
		f = []form{single, cluster}[seed%2]
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("axlegate-chaos-%d-", seed)) //nolint:usetesting // a run that failed leaves its folder
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			syscall.Unmount(filepath.Join(dir, "stand", small), syscall.MNT_DETACH) //nolint:errcheck // there may be none
			os.RemoveAll(dir)                                                       //nolint:errcheck // a folder that stays is harmless
		}
	})
	m, how := equip(t.Context(), m)
	faults := plan(seed, length, f, m)
	vehicles := max(int(length.Minutes()*perMinute), 1)
	file, err := os.Create(filepath.Join(dir, "timeline.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // what is written is written
	line := &timeline{f: file, begun: time.Now()}
	say("chaos: seed %d, %s, %s, %d faults planned, %d vehicles on each of 4 lanes (%.1f h of traffic at %d a minute and lane)", seed, f, length, len(faults), vehicles, float64(vehicles)/ordinary/60, ordinary)
	say("chaos: %s", how)
	say("chaos: timeline in %s", file.Name())
	line.note("seed %d, %s, %s; %s; repeat: %s", seed, f, length, how, repeat)
	for _, fl := range faults {
		line.note("planned at %s: %s", fl.At, fl)
	}
	w := build(t, bin, dir, f, m, seed, vehicles, line.note)
	windows := w.suffer(t, faults, length, line)

	say("chaos: all healed; draining")
	drained := time.Now()
	if err := poll(*patience, func() (bool, string) {
		n, done := w.passed(t.Context())
		return done, fmt.Sprintf("%d vehicles passed", n)
	}); err != nil {
		t.Errorf("the traffic does not end: %v", err)
	}
	for _, s := range w.stand.Sites {
		if err := w.settled(t.Context(), s, *patience); err != nil {
			t.Error(err)
		}
	}
	line.note("drained after %s", time.Since(drained).Round(time.Millisecond))
	ended := w.close(t)
	v, err := judge(t.Context(), w.stand, vehicles, windows)
	if err != nil {
		t.Fatalf("no audit: %v; the run's folder is %s", err, dir)
	}
	report(t, v, faults, ended, line)
	say("chaos: repeat with: %s", repeat)
	if t.Failed() {
		say("chaos: FAILED; the run's folder is %s (timeline.txt, logs/, stand/)", dir)
	}
}

// suffer carries out the plan and gives back when what was at work.
func (w *world) suffer(t *testing.T, faults []fault, length time.Duration, line *timeline) []window {
	t.Helper()
	windows := make([]window, len(faults))
	begun := time.Now()
	shown := begun
	progress := func(what string) {
		n, _ := w.passed(t.Context())
		at := time.Since(begun)
		filled := min(int(20*at/length), 20)
		say("chaos: [%s%s] %3.0f s of %.0f s, %d vehicles passed; %s", strings.Repeat("#", filled), strings.Repeat(".", 20-filled), at.Seconds(), length.Seconds(), n, what)
		shown = time.Now()
	}
	line.note("faults begin")
	for _, s := range steps(faults) {
		for wait := s.at - time.Since(begun); wait > 0; wait = s.at - time.Since(begun) {
			time.Sleep(min(wait, 5*time.Second)) // the plan's own clock
			if time.Since(shown) >= 5*time.Second {
				progress("quiet")
			}
		}
		fl, win := faults[s.fault], &windows[s.fault]
		var err error
		if s.undo {
			err = w.undo(t.Context(), fl)
			win.to = time.Now()
			line.note("over: %s", fl)
		} else {
			line.note("%s", fl)
			win.fault, win.from = fl, time.Now()
			err = w.do(t.Context(), fl)
			if fl.For == 0 {
				win.to = time.Now()
			}
		}
		if err != nil {
			line.note("FAILED: %s: %v", fl, err)
			t.Errorf("%s: %v", fl, err)
		}
		if time.Since(shown) >= 5*time.Second {
			progress(fl.String())
		}
	}
	return windows
}

// close stops what was run, in order, and tells how often daemons ended by themselves on the way.
func (w *world) close(t *testing.T) (ended int) {
	t.Helper()
	for _, of := range []map[string]*unit{w.edges, w.centres} {
		for _, u := range of {
			if err := u.end(syscall.SIGTERM, time.Minute); err != nil {
				t.Error(err)
			}
			n, broken := u.fate()
			ended += n
			if broken != "" {
				t.Error(broken)
			}
		}
	}
	return ended
}

func report(t *testing.T, v *verdict, faults []fault, ended int, line *timeline) {
	t.Helper()
	show := func(format string, args ...any) {
		say("chaos: "+format, args...)
		line.note(format, args...)
	}
	a := v.audit
	show("faults   %d: %s", len(faults), tally(faults))
	show("daemons  ended by themselves and were started again: %d times", ended)
	recorded := a.Vehicles - a.Covered - len(a.Lost) // a vehicle whose end was lost has a passage that was cut short and a gap
	show("truth    %d vehicles = %d recorded + %d covered by %d gap records; %d passages, %d supplements, %d chains",
		a.Vehicles, recorded, a.Covered, a.Gaps, a.Passages, a.Supplements, v.chains)
	show("lost     %d", len(a.Lost))
	show("doubled  %d", len(a.Doubled))
	show("alerts   %d raised, each once; %d of them by a plate that came later", v.alerts, v.late)
	show("waited   from vehicle end to alert: at most %s (%s); outside of outages at most %s of %d alerts (%s)", v.overall.longest.Round(time.Millisecond), v.overall.which, v.calm.longest.Round(time.Millisecond), v.calm.n, v.calm.which)
	const most = 20
	for i, l := range append(v.losses, v.problems...) {
		if i == most {
			show("and more: %d in all", len(v.losses)+len(v.problems))
			break
		}
		show("  %s", l)
	}
	if n := len(v.losses) + len(v.problems); n > 0 {
		t.Errorf("%d findings; the first: %s", n, append(v.losses, v.problems...)[0])
	}
	if a.Vehicles == 0 || v.alerts == 0 {
		t.Error("nothing passed, or nothing was alerted: the run proved nothing")
	}
}
