package daemon

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/axlegate/axlegate/internal/legal"
	"github.com/axlegate/axlegate/wim"
)

// identify works out what every record names: the program, its legally relevant part, the configuration and the
// instruments' data.
func (p *edgeParts) identify() error {
	build, err := buildDigest()
	if err != nil {
		return err
	}
	config := wim.DigestOf(p.cfg.raw)
	p.active = []wim.Part{
		{Kind: wim.PartSoftware, Name: "axlegate-edge", Version: Version, Digest: build},
		{Kind: wim.PartLegal, Name: "legal", Version: legal.Version, Digest: legal.Digest()},
		{Kind: wim.PartSiteFile, Name: string(p.cfg.Site), Digest: config},
		{Kind: wim.PartRules, Name: p.rules.ID(), Digest: p.rules.Digest()},
	}
	if p.registrations != nil {
		p.active = append(p.active, wim.Part{Kind: wim.PartRegistrations, Name: "local", Digest: p.registrations.Digest()})
	}
	all := sha256.New()
	for i := range p.lanes {
		b, err := json.Marshal(p.lanes[i].Instrument)
		if err != nil {
			return fmt.Errorf("lane %d: %w", p.lanes[i].Lane, err)
		}
		all.Write(b) // a hash never fails
		p.active = append(p.active, wim.Part{Kind: wim.PartCalibration, Name: "lane " + strconv.Itoa(int(p.lanes[i].Lane)), Digest: wim.DigestOf(b)})
	}
	p.software = wim.Software{Build: Version, Config: config, BuildDigest: build, Legal: legal.Version, LegalDigest: legal.Digest(), Calibration: wim.Digest(all.Sum(nil))}
	return nil
}

// buildDigest is the digest of the running program's file.
func buildDigest() (d wim.Digest, err error) {
	path, err := os.Executable()
	if err != nil {
		return d, fmt.Errorf("digest of this program: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return d, fmt.Errorf("digest of this program: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return d, fmt.Errorf("digest of this program: %w", err)
	}
	return wim.Digest(h.Sum(nil)), nil
}

// Identity is what --version prints: the version, the digest of the program's file, and the legally relevant part
// as records and certificates name it.
func Identity() string {
	build := "unknown"
	if d, err := buildDigest(); err == nil {
		build = d.String()
	}
	return fmt.Sprintf("%s\nprogram file      sha256 %s\nlegally relevant  %s, sha256 %s", Version, build, legal.Version, legal.Digest())
}
