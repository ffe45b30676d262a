package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/axlegate/axlegate/drivers/tpm"
	"github.com/axlegate/axlegate/internal/signin"
	"github.com/axlegate/axlegate/wim/seal"
)

type keysCommand struct {
	New      keysNew      `cmd:"" help:"Make a signing key for a site or the centre."`
	Rotate   keysRotate   `cmd:"" help:"Let a new key take over from a site's key."`
	Show     keysShow     `cmd:"" help:"Print the id and algorithm of a key file."`
	Password keysPassword `cmd:"" help:"Make the password hash of an officer."`
}

type keysNew struct {
	Path      string `arg:"" help:"File for the private key; the public key goes beside it with .pub behind its name. Or a place in a TPM: tpm:/dev/tpmrm0#0x81010a01."`
	Algorithm string `enum:"EdDSA,ES256" default:"EdDSA" help:"EdDSA (Ed25519) or ES256 (ECDSA P-256); a TPM makes ES256."`
	Public    string `placeholder:"FILE" type:"path" help:"File for the public half of a key in a TPM; without it, it is printed."`
}

func (keysNew) Help() string {
	return `Makes a key, Ed25519 unless told otherwise. The private file gets mode 0600 and never leaves its machine; the public file is
what the other side is given:

  a site's  site.pem.pub    goes into the centre's configuration, under sites: keys
  the centre's center.pem.pub goes into every site's, under center: receipt_keys

An existing file is never overwritten: records signed with a lost key can be verified, but no new ones
can be added to its chain.

A key in a TPM 2.0 never leaves it. Name the device and a persistent handle that is free, and give the
same name as key: in the site's configuration:

  axlegate keys new tpm:/dev/tpmrm0#0x81010a01 --public site.pub`
}

func (c keysNew) Run() error {
	if tpm.Is(c.Path) {
		return c.inTPM()
	}
	k, err := seal.GenerateSignerFor(c.Algorithm)
	if err != nil {
		return err
	}
	if err := k.WriteFiles(c.Path); err != nil {
		return err
	}
	fmt.Printf("private key  %s  (mode 0600, keep it here)\npublic key   %s.pub  (give this to the other side)\nkey id       %s\n", c.Path, c.Path, k.ID)
	return nil
}

func (c keysNew) inTPM() (err error) {
	k, err := tpm.Create(c.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	v, err := seal.NewVerifier(k.Public())
	if err != nil {
		return err
	}
	pub, err := v.MarshalPEM()
	if err != nil {
		return err
	}
	fmt.Printf("private key  %s  (stays in the TPM)\nkey id       %s\n", c.Path, v.ID)
	if c.Public == "" {
		fmt.Printf("public key, to give to the other side:\n%s", pub)
		return nil
	}
	fmt.Printf("public key   %s  (give this to the other side)\n", c.Public)
	f, err := os.OpenFile(c.Public, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(pub)
	return errors.Join(err, f.Sync(), f.Close())
}

type keysRotate struct {
	Path      string `arg:"" type:"existingfile" help:"The site's private key file, as its configuration names it."`
	Algorithm string `enum:"EdDSA,ES256" default:"EdDSA" help:"EdDSA (Ed25519) or ES256 (ECDSA P-256)."`
}

func (keysRotate) Help() string {
	return `Makes a new key beside the old one. Then start axlegate-edge anew: it seals a rotation record that the old
key signs and the new one countersigns, and goes over to the new key as soon as the centre has receipted it.
Nothing has to be changed at the centre. The old key stays beside the new one as a former key: records from
before are signed by it when a restored centre must be sent them again.

  axlegate keys rotate site.pem
  systemctl restart axlegate-edge

A key that was lost, or that somebody may have copied, is not rotated: enrol a new one instead.`
}

func (c keysRotate) Run() error {
	next, err := seal.GenerateSignerFor(c.Algorithm)
	if err != nil {
		return err
	}
	if err := seal.WriteNext(c.Path, next); err != nil {
		return err
	}
	fmt.Printf("new key      %s.next  (mode 0600)\nkey id       %s\nIt takes over when the daemon has started anew and the centre has receipted the rotation.\n", c.Path, next.ID)
	return nil
}

type keysShow struct {
	Path string `arg:"" help:"Private or public key file (PEM), or a key in a TPM: tpm:/dev/tpmrm0#0x81010a01."`
}

func (keysShow) Help() string {
	return `The key id is the RFC 7638 thumbprint of the public key: the same for both halves. Compare it by
telephone before you trust a key that came over a network.`
}

func (c keysShow) Run() (err error) {
	if tpm.Is(c.Path) {
		k, err := tpm.Open(c.Path)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, k.Close()) }()
		v, err := seal.NewVerifier(k.Public())
		if err != nil {
			return err
		}
		fmt.Printf("key in a TPM  %s\nkey id        %s\nalgorithm     %s\n", c.Path, v.ID, v.Algorithm())
		return nil
	}
	v, err := seal.ReadVerifier(c.Path)
	kind := "public"
	if err != nil {
		s, serr := seal.ReadSigner(c.Path)
		if serr != nil {
			return errors.Join(err, serr)
		}
		v, kind = s.Verifier(), "private"
	}
	fmt.Printf("%s key  %s\nkey id     %s\nalgorithm  %s\n", kind, c.Path, v.ID, v.Algorithm())
	return nil
}

type keysPassword struct {
	Path string `arg:"" type:"path" help:"File for the hash; it is created with mode 0600."`
}

func (keysPassword) Help() string {
	return `Asks for a password (or reads one line from standard input when that is no terminal), and writes its
argon2id hash. Name the file in the centre's configuration, under officers: hash_file.`
}

func (c keysPassword) Run() error {
	password, err := readPassword(os.Stdin)
	if err != nil {
		return err
	}
	hash, err := signin.HashPassword(password)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("password hash: %w; remove the old file first if it is to be replaced", err)
	}
	_, err = fmt.Fprintln(f, hash)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("password hash: %w", err)
	}
	fmt.Println("hash written to", c.Path)
	return nil
}

func readPassword(in *os.File) (string, error) {
	if !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	fmt.Fprint(os.Stderr, "Password: ")
	first, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprint(os.Stderr, "\nAgain: ")
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	second, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	if string(first) != string(second) {
		return "", errors.New("the two passwords differ; nothing was written")
	}
	return string(first), nil
}
