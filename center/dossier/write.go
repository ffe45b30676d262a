package dossier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// SiteKey is a site's public key and how it came to be believed.
type SiteKey struct {
	Key    *seal.Verifier
	Source string // SourceConfigured, SourceCode or SourceRotation
	By     string
	Since  wim.Time
	Until  wim.Time
}

// Config says where a dossier's parts come from. All but Software and Now are needed.
type Config struct {
	// Evidence returns center.ErrNotFound for a matter that the viewer may not see.
	Evidence func(ctx context.Context, v center.Viewer, matter int64) (center.Evidence, error)
	// Picture opens one. One that the centre does not have is fs.ErrNotExist or center.ErrNotFound.
	Picture func(d wim.Digest) (*os.File, error)
	// Rules gives the bytes of a rule set; center.ErrNotFound for one that the centre does not have.
	Rules func(ctx context.Context, d wim.Digest) ([]byte, error)
	// Keys gives all keys under which a site was ever believed.
	Keys     func(ctx context.Context, site wim.SiteID) ([]SiteKey, error)
	Signer   *seal.Signer // the centre's
	Software string       // version of this program
	Now      func() time.Time
}

// atOnce bounds how many dossiers are made at the same time: each lies in memory whole.
const atOnce = 4

// Writer makes dossiers. It may be used by any number of goroutines.
type Writer struct {
	cfg   Config
	seats chan struct{}
}

// NewWriter checks what is needed.
func NewWriter(cfg Config) (*Writer, error) {
	if cfg.Evidence == nil || cfg.Picture == nil || cfg.Rules == nil || cfg.Keys == nil || cfg.Signer == nil {
		return nil, errors.New("dossier: Evidence, Picture, Rules, Keys and Signer are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Writer{cfg: cfg, seats: make(chan struct{}, atOnce)}, nil
}

// Dossier makes the archive of one matter for a viewer. Errors are center.ErrNotFound, center.ErrPruned and failures of the
// store. It writes nothing to the audit trail: its caller does, before the archive is handed out.
func (w *Writer) Dossier(ctx context.Context, v center.Viewer, matter int64) ([]byte, error) {
	select {
	case w.seats <- struct{}{}:
		defer func() { <-w.seats }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	e, err := w.cfg.Evidence(ctx, v, matter)
	if err != nil {
		return nil, err
	}
	if e.Pruned || len(e.Accounts) == 0 {
		return nil, fmt.Errorf("matter %d: %w", matter, center.ErrPruned)
	}
	b := &builder{cfg: &w.cfg, files: Files{}, c: contentsOf(&e, v.Login, wim.TimeOf(w.cfg.Now()))}
	b.c.Software, b.c.Center = w.cfg.Software, w.cfg.Signer.ID
	for _, step := range []func(context.Context, *center.Evidence) error{b.addRecords, b.addPictures, b.addRules, b.addKeys} {
		if err := step(ctx, &e); err != nil {
			return nil, fmt.Errorf("dossier of matter %d: %w", matter, err)
		}
	}
	if err := b.close(); err != nil {
		return nil, fmt.Errorf("dossier of matter %d: %w", matter, err)
	}
	return Pack(b.files)
}

// Name is what the archive of a matter is called.
func Name(matter int64) string { return fmt.Sprintf("axlegate-matter-%d.zip", matter) }

func contentsOf(e *center.Evidence, login string, now wim.Time) *Contents {
	m := &e.Docket.Matter
	c := &Contents{
		Version: Version, Made: now, By: login, Epoch: e.Epoch,
		Matter: Matter{ID: m.ID, Site: m.Site, Region: m.Region, Lane: m.Lane, Passed: m.Passed, Opened: m.Opened,
			Plates: append([]string{}, m.Plates...), Suspicion: m.Suspicion, State: m.State},
		Alerts: []Alert{}, Cases: []Case{}, Acts: []Act{}, Records: []Record{}, Pictures: []Picture{}, Rules: []RuleSet{}, Keys: []Key{}, Missing: []Missing{},
	}
	for _, a := range e.Alerts {
		c.Alerts = append(c.Alerts, Alert{Competence: a.Competence, Outcome: a.Outcome, Standing: a.Standing, Raised: a.Raised,
			Acknowledged: a.AcknowledgedAt, By: a.AcknowledgedBy, End: a.Ended, Ended: a.EndedAt, EndedBy: a.EndedBy, Reason: a.EndReason})
	}
	for _, x := range e.Cases {
		c.Cases = append(c.Cases, Case{Competence: x.Competence, Number: x.Number, Opened: x.Opened, Login: x.Login})
	}
	for _, a := range e.Acts {
		c.Acts = append(c.Acts, Act{Version: a.Version, At: a.At, Login: a.Login, Competence: a.Competence, Kind: a.Kind, Details: a.Details})
	}
	return c
}

// builder gathers one dossier.
type builder struct {
	cfg   *Config
	files Files
	c     *Contents
	sets  []wim.Digest // rule sets, in the order in which the records name them
	shots []wim.Digest // pictures, likewise
	signs []string     // ids of the sites' keys that signed something here
}

func (b *builder) missing(what, name string) {
	b.c.Missing = append(b.c.Missing, Missing{What: what, Name: name})
}

func (b *builder) addRecords(_ context.Context, e *center.Evidence) error {
	starts := map[wim.ChainID]bool{}
	for i := range e.Records {
		r := &e.Records[i]
		seg, err := seal.PeekSegment(r.Segment)
		if err != nil {
			return fmt.Errorf("segment of record %d: %w", r.Ref.Seq, err)
		}
		out := Record{Ref: r.Ref, Kind: r.Kind, File: recordFile(r.Ref), Segment: segmentFile(r.Ref.Chain, seg.From), Key: r.Key, Received: r.Received}
		if old, ok := b.files[out.Segment]; ok && string(old) != r.Segment {
			// The same records were sent again under another signature, with more or fewer of them.
			out.Segment = segmentFile(r.Ref.Chain, seg.From)[:len(out.Segment)-len(".jws")] + "-" + wim.DigestOf([]byte(r.Segment)).Short() + ".jws"
		}
		b.files[out.File], b.files[out.Segment] = r.Raw, []byte(r.Segment)
		if r.Whole {
			jws, err := seal.SignReceipt(b.cfg.Signer, seal.Receipt{Site: r.Ref.Site, Chain: r.Ref.Chain, Seq: r.Ref.Seq, Digest: r.Ref.Digest, Epoch: e.Epoch, Time: b.c.Made})
			if err != nil {
				return err
			}
			out.Receipt = receiptFile(r.Ref)
			b.files[out.Receipt] = []byte(jws)
		} else {
			b.missing(MissingReceipt, fmt.Sprintf("%s-%d", r.Ref.Chain, r.Ref.Seq))
		}
		b.c.Records = append(b.c.Records, out)
		b.signs = appendNew(b.signs, r.Key)
		starts[r.Ref.Chain] = starts[r.Ref.Chain] || r.Ref.Seq == 1
		b.note(r.Raw)
	}
	for _, a := range e.Accounts {
		if !starts[a.Ref.Chain] {
			b.missing(MissingStart, a.Ref.Chain.String())
			starts[a.Ref.Chain] = true
		}
	}
	return nil
}

// note remembers what a record names that a dossier must have.
func (b *builder) note(raw []byte) {
	if seal.IsTombstone(raw) {
		return
	}
	r, err := seal.Open(raw)
	if err != nil {
		return // held opaque: of a later version
	}
	v, reads := judged(r)
	if v == nil {
		return
	}
	b.sets = appendNew(b.sets, v.Rules)
	for _, x := range reads {
		if !x.Picture.IsZero() {
			b.shots = appendNew(b.shots, x.Picture)
		}
	}
}

// judged gives the verdict of a record and what its cameras read; nil for one that has none.
func judged(r *wim.Record) (*wim.Verdict, []wim.PlateRead) {
	switch {
	case r.Passage != nil:
		return &r.Passage.Verdict, r.Passage.Reads
	case r.Supplement != nil:
		return &r.Supplement.Verdict, r.Supplement.Reads
	}
	return nil, nil
}

func appendNew[T comparable](to []T, v T) []T {
	if slices.Contains(to, v) {
		return to
	}
	return append(to, v)
}

func (b *builder) addPictures(context.Context, *center.Evidence) error {
	for _, d := range b.shots {
		p := Picture{Digest: d, File: pictureFile(d)}
		bytes, err := b.picture(d)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, center.ErrNotFound):
			p.File = ""
			b.missing(MissingPicture, d.String())
		case err != nil:
			return fmt.Errorf("picture %s: %w", d.Short(), err)
		default:
			b.files[p.File] = bytes
		}
		b.c.Pictures = append(b.c.Pictures, p)
	}
	return nil
}

func (b *builder) picture(d wim.Digest) ([]byte, error) {
	f, err := b.cfg.Picture(d)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return io.ReadAll(io.LimitReader(f, MaxBytes/16))
}

func (b *builder) addRules(ctx context.Context, _ *center.Evidence) error {
	for _, d := range b.sets {
		s := RuleSet{Digest: d, File: rulesFile(d)}
		yaml, err := b.cfg.Rules(ctx, d)
		switch {
		case errors.Is(err, center.ErrNotFound):
			s.File = ""
			b.missing(MissingRules, d.String())
		case err != nil:
			return err
		default:
			b.files[s.File] = yaml
		}
		b.c.Rules = append(b.c.Rules, s)
	}
	return nil
}

func (b *builder) addKeys(ctx context.Context, e *center.Evidence) error {
	held, err := b.cfg.Keys(ctx, e.Docket.Matter.Site)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	for _, id := range b.signs {
		i := slices.IndexFunc(held, func(k SiteKey) bool { return k.Key.ID == id })
		if i < 0 {
			b.missing(MissingKey, id)
			continue
		}
		k := held[i]
		if err := b.addKey(k.Key, Key{Of: OfSite, Site: e.Docket.Matter.Site, Source: k.Source, By: k.By, Since: k.Since, Until: k.Until}); err != nil {
			return err
		}
	}
	return b.addKey(b.cfg.Signer.Verifier(), Key{Of: OfCenter, Source: SourceConfigured})
}

func (b *builder) addKey(v *seal.Verifier, k Key) error {
	pem, err := v.MarshalPEM()
	if err != nil {
		return err
	}
	k.ID, k.Algorithm, k.File = v.ID, v.Algorithm(), keyFile(v.ID)
	b.files[k.File] = pem
	b.c.Keys = append(b.c.Keys, k)
	return nil
}

// close adds what describes the rest, and signs the list.
func (b *builder) close() error {
	j, err := json.MarshalIndent(b.c, "", "  ")
	if err != nil {
		return fmt.Errorf("contents: %w", err)
	}
	b.files[contentsName] = append(j, '\n')
	b.files[readmeZh], b.files[readmeEn] = readme(b.c, zh), readme(b.c, en)
	b.files[sumsName] = sums(b.files)
	jws, err := signList(b.cfg.Signer, b.c.Matter.ID, b.c.Made, b.files)
	if err != nil {
		return err
	}
	b.files[manifestName] = []byte(jws)
	return nil
}

func signList(k *seal.Signer, matter int64, at wim.Time, f Files) (string, error) {
	d := seal.Dossier{Matter: matter, Time: at}
	for _, name := range f.names() {
		d.Files = append(d.Files, seal.DossierFile{Name: name, Size: int64(len(f[name])), Digest: wim.DigestOf(f[name])})
	}
	return seal.SignDossier(k, d)
}

// sums is the list as "sha256sum -c" reads it: of all files but itself and the signed list.
func sums(f Files) []byte {
	var out bytes.Buffer
	for _, name := range f.names() {
		if name != sumsName && name != manifestName {
			fmt.Fprintf(&out, "%s  %s\n", wim.DigestOf(f[name]), name)
		}
	}
	return out.Bytes()
}
