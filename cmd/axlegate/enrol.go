package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/axlegate/axlegate/drivers/tpm"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

type enrolCommand struct {
	Center  string     `required:"" placeholder:"URL" help:"Address of the centre, such as https://center.example; plain http on this machine only."`
	Site    wim.SiteID `required:"" help:"Name of the site, as the centre has it."`
	Code    string     `env:"AXLEGATE_ENROLMENT_CODE" help:"The one-time code that the centre showed; asked for when it is left out."`
	Key     string     `default:"site.pem" help:"The site's private key: a file, which is made when it is not there, or a key in a TPM."`
	Pin     string     `default:"center.pem.pub" type:"path" help:"File for the centre's public key, which the site's configuration names under receipt_keys."`
	CA      string     `type:"existingfile" placeholder:"FILE" help:"Authorities that the centre's certificate is checked against; without it the system's."`
	Replace bool       `help:"Pin the centre's key in place of another one that is there."`
}

func (enrolCommand) Help() string {
	return `Has the centre believe this site's key, and pins the centre's. An administrator makes a code on the site's page
at the centre and reads it out; it is good for a day and for one use.

  axlegate enrol --center https://center.example --site north-1
  axlegate enrol --center https://center.example --site north-1 --key tpm:/dev/tpmrm0#0x81010a01

Compare both key ids by telephone: until then nobody knows that it was the centre who answered, and not somebody in
between. A key that was lost or copied is replaced in the same way, with a code that says so; set the old key file aside
first. The site then goes on in a new chain.`
}

func (c enrolCommand) Run() error {
	code := c.Code
	if code == "" {
		fmt.Fprint(os.Stderr, "Enrolment code: ")
		var err error
		if code, err = readLine(os.Stdin); err != nil {
			return err
		}
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	k, err := c.signer()
	if err != nil {
		return err
	}
	jws, err := seal.SignEnrolment(k, c.Site, code, wim.TimeOf(time.Now()))
	if err != nil {
		return err
	}
	answer, err := c.post(client, jws)
	if err != nil {
		return err
	}
	e, keys, err := seal.VerifyEnrolled(answer)
	if err != nil {
		return fmt.Errorf("the centre's answer: %w", err)
	}
	if e.Site != c.Site || e.Key != k.ID {
		return fmt.Errorf("the centre answered for key %s of site %s; nothing was pinned", e.Key, e.Site)
	}
	fmt.Printf("enrolled    key %s of site %s\n", k.ID, c.Site)
	for _, v := range keys {
		if err := c.pin(v); err != nil {
			return err
		}
		fmt.Printf("the centre  key %s, pinned in %s\n", v.ID, c.Pin)
	}
	fmt.Println("Compare both ids by telephone with the centre before the site is relied on.")
	return nil
}

func readLine(in io.Reader) (string, error) {
	b := make([]byte, 0, 64)
	for one := make([]byte, 1); len(b) < 200; {
		n, err := in.Read(one)
		if n > 0 && one[0] == '\n' || err != nil && len(b) > 0 {
			break
		}
		if err != nil {
			return "", fmt.Errorf("read the code: %w", err)
		}
		b = append(b, one[:n]...)
	}
	return strings.TrimSpace(string(b)), nil
}

// signer reads the site's key, or makes one.
func (c enrolCommand) signer() (*seal.Signer, error) {
	if tpm.Is(c.Key) {
		k, err := tpm.Open(c.Key)
		if err != nil {
			return nil, err
		}
		return seal.NewSigner(k)
	}
	if _, err := os.Stat(c.Key); errors.Is(err, fs.ErrNotExist) {
		k, err := seal.GenerateSigner()
		if err != nil {
			return nil, err
		}
		fmt.Printf("made        key %s in %s (mode 0600, keep it here)\n", k.ID, c.Key)
		return k, k.WriteFiles(c.Key)
	}
	return seal.ReadSigner(c.Key)
}

// client speaks TLS, or to this machine.
func (c enrolCommand) client() (*http.Client, error) {
	u, err := url.Parse(c.Center)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("--center %q: want an address such as https://center.example", c.Center)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--center %s: a code must not go over a network in clear; use https", c.Center)
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca %s: no certificate in it", c.CA)
		}
	}
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: t, Proxy: http.ProxyFromEnvironment}}, nil
}

func (c enrolCommand) post(client *http.Client, jws string) (string, error) {
	ctx := context.Background()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.Center, "/")+"/enrol", strings.NewReader(jws))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/jose")
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("the centre was not reached: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", fmt.Errorf("the centre's answer broke off: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the centre refused (%s): %s", resp.Status, strings.TrimSpace(string(b)))
	}
	return string(b), nil
}

// pin writes the centre's key down, and never over another.
func (c enrolCommand) pin(v *seal.Verifier) error {
	pem, err := v.MarshalPEM()
	if err != nil {
		return err
	}
	held, err := os.ReadFile(c.Pin)
	switch {
	case err == nil && bytes.Equal(held, pem):
		return nil
	case err == nil && !c.Replace:
		return fmt.Errorf("%s holds another key of the centre, and this one is %s: compare it by telephone, then run the command again with a new code and --replace", c.Pin, v.ID)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	tmp := c.Pin + ".new"
	if err := os.WriteFile(tmp, pem, 0o644); err != nil { //nolint:gosec // a public key
		return fmt.Errorf("pin the centre's key: %w", err)
	}
	return os.Rename(tmp, c.Pin)
}
