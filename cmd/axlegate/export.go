package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center/dossier"
	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

type exportCommand struct {
	Journal   string `arg:"" optional:"" type:"existingfile" help:"A site's journal, to export its records with signatures; without it a centre is asked for a matter's dossier."`
	Key       string `type:"existingfile" help:"With a journal: the site's private key, which signs what is exported."`
	Center    string `placeholder:"URL" help:"The centre, such as https://centre.example."`
	TokenFile string `type:"existingfile" placeholder:"FILE" help:"File with a token of the scope matters:read; its officer is who exports."`
	CA        string `name:"ca" type:"existingfile" placeholder:"FILE" help:"Certificates (PEM) to check the centre's by, where the system does not know it."`
	Config    string `type:"existingfile" placeholder:"FILE" help:"Instead of --center: configuration of a centre that is stopped, whose store is read on this machine."`
	Officer   string `placeholder:"LOGIN" help:"With --config: the officer who exports, as the audit trail names it."`
	Matter    int64  `help:"Number of the matter."`
	Out       string `short:"o" required:"" type:"path" help:"File to write; it must not be there yet."`
}

func (exportCommand) Help() string {
	return `Asks a centre for the dossier of one matter: its sealed records with the signatures that cover them, pictures,
rule set, keys, and what the officers did, as one archive that anybody can check without this centre.

  axlegate export --center https://centre.example --token-file token --matter 12 -o dossier.zip
  axlegate verify dossier.zip

The officer behind the token must be allowed to see the matter; the export is noted in the audit trail. On a
matter's page of the console a button does the same. At a centre that is stopped, such as a restored backup:

  axlegate export --config center.yaml --officer li --matter 12 -o dossier.zip

From a site alone, without a centre, all records of its journal with the site's signature over every 64:

  axlegate export journal.db --key site.pem -o export.ndjson
  axlegate verify export.ndjson --site-key site.pem.pub`
}

func (c exportCommand) Run() error {
	ctx, stop := context.WithTimeout(context.Background(), exportTimeout)
	defer stop()
	switch {
	case c.Journal != "" && (c.Center != "" || c.Matter != 0 || c.TokenFile != "" || c.Config != ""):
		return errors.New("export: either a journal or a matter, not both")
	case c.Config != "" && (c.Center != "" || c.TokenFile != ""):
		return errors.New("export: either --center with --token-file or --config with --officer, not both")
	case c.Journal != "" && c.Key == "":
		return errors.New("export: a journal needs --key, the site's private key that signs; \"axlegate verify journal.db -o FILE\" exports without signatures")
	case c.Journal != "":
		return c.journal(ctx)
	case c.Config != "" && (c.Officer == "" || c.Matter < 1):
		return errors.New("export: --config needs --officer and --matter")
	case c.Config != "":
		return c.keep(func() ([]byte, error) { return daemon.ExportDossier(ctx, c.Config, c.Officer, c.Matter) })
	case c.Center == "" || c.Matter < 1 || c.TokenFile == "":
		return errors.New("export: --center, --token-file and --matter are needed")
	}
	return c.dossier(ctx)
}

// exportTimeout bounds one export.
const exportTimeout = 30 * time.Minute

func (c exportCommand) dossier(ctx context.Context) error {
	client, base, err := c.client()
	if err != nil {
		return err
	}
	token, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	return c.keep(func() ([]byte, error) { return c.fetch(ctx, client, base, token) })
}

// keep makes the file before it asks: an export that cannot be kept should not stand in the audit trail.
func (c exportCommand) keep(fetch func() ([]byte, error)) error {
	var archive []byte
	var rep dossier.Report
	err := writeNew(c.Out, func(w io.Writer) (err error) {
		if archive, err = fetch(); err != nil {
			return err
		}
		if rep = dossier.Verify(archive, dossier.Trust{}); !rep.OK {
			return fmt.Errorf("what the centre gave does not hold, nothing was written: %s", rep.Wrong[0].En)
		}
		_, err = w.Write(archive)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("dossier of matter %d written to %s\n%s  %s\ncentre's key %s\n", rep.Matter, c.Out, wim.DigestOf(archive), c.Out, rep.CenterKey)
	return nil
}

func (c exportCommand) fetch(ctx context.Context, client *http.Client, base *url.URL, token []byte) (archive []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("api/v1/matters", fmt.Sprint(c.Matter), "dossier").String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("centre: %w", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the centre answers %s: %s", res.Status, problem(res.Body))
	}
	if archive, err = io.ReadAll(io.LimitReader(res.Body, dossier.MaxBytes+1)); err != nil {
		return nil, fmt.Errorf("centre: %w", err)
	}
	return archive, nil
}

// problem is what an answer says went wrong.
func problem(body io.Reader) string {
	b, err := io.ReadAll(io.LimitReader(body, 16<<10))
	if err != nil {
		return err.Error()
	}
	var p struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(b, &p) == nil && p.Detail != "" {
		return p.Detail
	}
	return strings.TrimSpace(string(b[:min(len(b), 200)]))
}

// client refuses to send a token in the clear beyond this machine.
func (c exportCommand) client() (*http.Client, *url.URL, error) {
	base, err := url.Parse(c.Center)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, nil, fmt.Errorf("--center %q: want an address such as https://centre.example", c.Center)
	}
	ip := net.ParseIP(base.Hostname())
	if base.Scheme == "http" && base.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, nil, fmt.Errorf("--center %s: a token goes over https only, except on this machine", c.Center)
	}
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, nil, fmt.Errorf("--ca: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, nil, fmt.Errorf("--ca %s: no certificate (PEM) in it", c.CA)
		}
	}
	// A redirect could lead the token elsewhere.
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, base, nil
}

// writeNew writes a file that is not there yet, whole or not at all.
func writeNew(path string, fn func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	w := bufio.NewWriter(f)
	return errors.Join(fn(w), w.Flush(), f.Sync())
}

// signedLine is the line of an export that signs the records before it.
type signedLine struct {
	Segment string `json:"segment"`
}

// journal exports proven records, each run of up to 64 followed by the site's signature over it.
func (c exportCommand) journal(ctx context.Context) error {
	key, err := seal.ReadSigner(c.Key)
	if err != nil {
		return err
	}
	kinds := counts{}
	err = writeNew(c.Out, func(w io.Writer) error {
		s := signedExport{key: key, out: w}
		rep, err := journal.Audit(ctx, c.Journal, func(r *wim.Record, raw []byte) error {
			kinds.add(r)
			return s.add(r, raw)
		})
		if err != nil {
			return err
		}
		for _, ch := range rep.Chains {
			if ch.Err != nil {
				return fmt.Errorf("chain %s breaks after record %d, nothing is exported: %w", ch.Chain, ch.Proven, ch.Err)
			}
		}
		return s.sign()
	})
	if err != nil {
		return err
	}
	fmt.Printf("exported to %s, signed by key %s\n%s\n", c.Out, key.ID, kinds)
	return nil
}

// signedExport writes records and, behind each run of them, a signature.
type signedExport struct {
	key *seal.Signer
	out io.Writer
	seg seal.Segment
}

func (s *signedExport) add(r *wim.Record, raw []byte) error {
	if n := len(s.seg.Digests); n == seal.MaxSegmentRecords || n > 0 && (r.Chain != s.seg.Chain || r.Seq != s.seg.To()+1) {
		if err := s.sign(); err != nil {
			return err
		}
	}
	if len(s.seg.Digests) == 0 {
		s.seg.Site, s.seg.Chain, s.seg.From = r.Site, r.Chain, r.Seq
	}
	d, err := seal.DigestOf(raw)
	if err != nil {
		return err
	}
	s.seg.Digests = append(s.seg.Digests, d)
	_, err = s.out.Write(append(raw[:len(raw):len(raw)], '\n'))
	return err
}

func (s *signedExport) sign() error {
	if len(s.seg.Digests) == 0 {
		return nil
	}
	jws, err := seal.SignSegment(s.key, s.seg)
	if err != nil {
		return err
	}
	s.seg = seal.Segment{}
	return json.NewEncoder(s.out).Encode(signedLine{Segment: jws})
}
