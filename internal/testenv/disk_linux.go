package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const ownMounts = "AXLEGATE_TEST_OWN_MOUNTS"

// OwnMounts runs a test in a process that may mount without anybody else seeing it: the test's binary again, in a
// mount namespace of its own that the kernel clears away, however the process ends. It is to be the whole of the
// test that calls it.
func OwnMounts(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if os.Getenv(ownMounts) != "" {
		f(t)
		return
	}
	for _, as := range []*syscall.SysProcAttr{
		{Unshareflags: syscall.CLONE_NEWNS},
		{ // whoever may not mount may do so as root of a namespace
			Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
		cmd.Env = append(os.Environ(), ownMounts+"=1")
		cmd.SysProcAttr = as
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) {
			continue
		}
		t.Logf("in its own mount namespace:\n%s", out)
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Fatalf("in its own mount namespace: %v", err)
		}
		return
	}
	t.Fatal("no mount namespace can be made here, not even as an ordinary user: allow unprivileged user namespaces, or run the test as root")
}

// SmallDisk mounts a file system of so many bytes inside OwnMounts and returns its folder.
func SmallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("axlegate-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatalf("mount a file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// ReadOnly makes a SmallDisk read-only, or writable again. Nothing may be open on it for writing.
func ReadOnly(t *testing.T, dir string, yes bool) {
	t.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if yes {
		flags |= syscall.MS_RDONLY
	}
	if err := syscall.Mount("axlegate-test", dir, "tmpfs", flags, ""); err != nil {
		t.Fatalf("remount: %v", err)
	}
}
