package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TPM is a TPM 2.0 in software that listens on a socket and keeps its state in a folder of the test.
type TPM struct {
	Path string // of the socket

	dir string
	cmd *exec.Cmd
}

func tpmTool() tool { return tool{name: "swtpm", pack: "swtpm"} }

// SoftwareTPM starts a new TPM that ends with the test.
func SoftwareTPM(tb testing.TB) *TPM {
	tb.Helper()
	program(tb, tpmTool())
	dir, err := os.MkdirTemp("", "axlegate-tpm-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		tb.Fatal(err)
	}
	p := &TPM{Path: filepath.Join(dir, "tpm.sock"), dir: dir}
	tb.Cleanup(func() {
		p.stop()
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	p.start(tb)
	return p
}

func (p *TPM) start(tb testing.TB) {
	tb.Helper()
	p.cmd = exec.CommandContext(tb.Context(), tpmTool().find(), "socket", "--tpm2", "--tpmstate", "dir="+p.dir,
		"--server", "type=unixio,path="+p.Path, "--flags", "not-need-init,startup-clear")
	p.cmd.Stderr = tb.Output()
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := os.Stat(p.Path); err == nil {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatal("the TPM does not listen")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (p *TPM) stop() {
	p.cmd.Process.Kill() //nolint:errcheck // it may be gone
	p.cmd.Wait()         //nolint:errcheck // it was killed
	os.Remove(p.Path)    //nolint:errcheck // it may have taken it away
}

// Restart takes the TPM's power away and gives it back.
func (p *TPM) Restart(tb testing.TB) {
	tb.Helper()
	p.stop()
	p.start(tb)
}
