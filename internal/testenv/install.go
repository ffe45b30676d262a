package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tool is a program that tests need and the Debian package that has it.
type tool struct {
	name string
	pack string
	// more are packages that belong to it: fonts, clients.
	more []string
	// places are where it lies, beside PATH.
	places []string
}

func postgresTool() tool {
	return tool{name: "initdb", pack: "postgresql", places: []string{"/usr/lib/postgresql/*/bin/initdb"}}
}
func mosquittoTool() tool {
	return tool{name: "mosquitto", pack: "mosquitto", places: []string{"/usr/sbin/mosquitto"}}
}
func promtoolTool() tool { return tool{name: "promtool", pack: "prometheus"} }
func chromiumTool() tool {
	return tool{name: "chromium", pack: "chromium", more: []string{"fonts-noto-cjk"}}
}

func opensslTool() tool { return tool{name: "openssl", pack: "openssl"} }
func jqTool() tool      { return tool{name: "jq", pack: "jq"} }
func unzipTool() tool   { return tool{name: "unzip", pack: "unzip"} }
func nftTool() tool {
	return tool{name: "nft", pack: "nftables", more: []string{"iproute2"}, places: []string{"/usr/sbin/nft"}}
}

func tools() []tool {
	return []tool{opensslTool(), jqTool(), unzipTool(), postgresTool(), mosquittoTool(), promtoolTool(), chromiumTool(), tpmTool(), nftTool(), mbpollTool(), pymodbusTool()}
}

// find gives the program's path, the newest where there are several; empty when it is not there.
func (t tool) find() string {
	for _, pattern := range t.places {
		// A pattern of ours is always well formed.
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			slices.SortFunc(found, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
			return found[len(found)-1]
		}
	}
	if p, err := exec.LookPath(t.name); err == nil {
		return p
	}
	return ""
}

// installing bounds one run of the package manager.
const installing = 10 * time.Minute

// Install installs what is missing of all that tests need and says on out what it does.
func Install(ctx context.Context, out io.Writer) error {
	return install(ctx, out, tools()...)
}

func install(ctx context.Context, out io.Writer, want ...tool) error {
	missing := func() (packages []string) {
		for _, t := range want {
			if t.find() == "" {
				packages = append(append(packages, t.pack), t.more...)
			}
		}
		return packages
	}
	if len(missing()) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Getuid() != 0 {
		return fmt.Errorf("%s missing: install it, on Debian as root: apt-get install %s", strings.Join(missing(), ", "), strings.Join(missing(), " "))
	}
	unlock, err := lock(filepath.Join(os.TempDir(), "axlegate-testenv.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	packages := missing() // another test process may have been faster
	if len(packages) == 0 {
		return nil
	}
	fmt.Fprintf(out, "testenv: installing %s from Debian\n", strings.Join(packages, ", ")) //nolint:errcheck // nobody left to tell
	quiet, err := keepServicesDown()
	if err != nil {
		return err
	}
	defer quiet()
	ctx, cancel := context.WithTimeout(ctx, installing)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := aptGet(ctx, "update")
		if err == nil {
			err = aptGet(ctx, append([]string{"install", "-y", "--no-install-recommends"}, packages...)...)
		}
		if err == nil {
			break
		}
		if attempt == 3 || ctx.Err() != nil {
			return fmt.Errorf("install %s: %w", strings.Join(packages, ", "), err)
		}
		fmt.Fprintf(out, "testenv: attempt %d failed, trying again: %v\n", attempt, err) //nolint:errcheck // nobody left to tell
		select {
		case <-time.After(time.Duration(attempt) * 5 * time.Second):
		case <-ctx.Done():
		}
	}
	if left := missing(); len(left) > 0 {
		return fmt.Errorf("%s installed and still not found", strings.Join(left, ", "))
	}
	fmt.Fprintln(out, "testenv: installed") //nolint:errcheck // nobody left to tell
	return nil
}

func aptGet(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", args[0], err, bytes.TrimSpace(out[max(0, len(out)-600):]))
	}
	return nil
}

// policy is what Debian's packages ask before they start a service.
const policy = "/usr/sbin/policy-rc.d"

// ourPolicy tells packages to start nothing; its comment tells us that it is ours.
const ourPolicy = "#!/bin/sh\n# axlegate testenv: tests start private servers\nexit 101\n"

// keepServicesDown has packages start no service while they are installed: tests start private ones. Where
// somebody else has a policy, as in containers, that one stands; one of ours that was left over is taken away.
func keepServicesDown() (restore func(), err error) {
	remove := func() { os.Remove(policy) } //nolint:errcheck // the next run takes it away
	old, err := os.ReadFile(policy)
	switch {
	case err == nil && string(old) == ourPolicy:
		return remove, nil
	case err == nil:
		return func() {}, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	return remove, os.WriteFile(policy, []byte(ourPolicy), 0o755) //nolint:gosec // a script that packages run
}

// lock waits for a file lock over all processes of the machine.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { f.Close() }, nil //nolint:errcheck // closing gives the lock back
}
