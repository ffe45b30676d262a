package parcel

import (
	"bytes"
	"fmt"
	"maps"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// place of a parcel among what a site works by: it has one rule set and one list of settings, whatever their names,
// and any number of tables.
func place(kind wim.PartKind, name string) string {
	if kind == wim.PartRules || kind == wim.PartSite {
		return string(kind)
	}
	return string(kind) + " " + name
}

// settings are what the centre may set of a site.
type settings struct {
	Road struct {
		PostedGross *wim.Kg `yaml:"posted_gross_kg"`
		PostedAxle  *wim.Kg `yaml:"posted_axle_kg"`
		PostedSign  *string `yaml:"posted_sign"`
	} `yaml:"road"`
	Lanes []struct {
		Lane    wim.LaneID      `yaml:"lane"`
		Purpose wim.LanePurpose `yaml:"purpose"`
	} `yaml:"lanes"`
}

// maxPosted is more than any sign says.
const maxPosted = 500_000

// Validate is called by the strict decoder.
func (s *settings) Validate() error {
	for name, v := range map[string]*wim.Kg{"posted_gross_kg": s.Road.PostedGross, "posted_axle_kg": s.Road.PostedAxle} {
		if v != nil && (*v < 0 || *v > maxPosted) {
			return fmt.Errorf("road.%s is %d; a sign says 0 (none) to %d", name, *v, maxPosted)
		}
	}
	seen := map[wim.LaneID]bool{}
	for i, l := range s.Lanes {
		if l.Lane == 0 || seen[l.Lane] {
			return fmt.Errorf("lanes[%d]: lane %d is 0 or stands here twice", i, l.Lane)
		}
		seen[l.Lane] = true
		if err := l.Purpose.Valid(); err != nil {
			return fmt.Errorf("lanes[%d]: %w", i, err)
		}
	}
	return nil
}

// load puts one parcel into what a site works by. Its error says what is wrong with it, with the line.
func load(w *edge.Works, p *seal.Parcel, b []byte) error {
	name := fmt.Sprintf("%s %s", p.Kind, p.Name)
	switch p.Kind {
	case wim.PartRules:
		set, err := rules.Load(name, b)
		if err != nil {
			return err
		}
		w.Rules = set
	case wim.PartRegistrations:
		t, err := edge.ReadRegistrations(name, bytes.NewReader(b))
		if err != nil {
			return err
		}
		w.Registrations = edge.JoinRegistrations(w.Registrations, t)
	case wim.PartPermits:
		t, err := edge.ReadPermits(p.Name, bytes.NewReader(b))
		if err != nil {
			return err
		}
		w.Permits = append(w.Permits[:len(w.Permits):len(w.Permits)], t)
	case wim.PartHotList:
		t, err := edge.ReadHotList(p.Name, bytes.NewReader(b))
		if err != nil {
			return err
		}
		w.HotLists = append(w.HotLists[:len(w.HotLists):len(w.HotLists)], t)
	case wim.PartSite:
		var s settings
		if err := conf.Decode(name, b, &s); err != nil {
			return err
		}
		s.into(w)
	case wim.PartSiteFile, wim.PartCalibration, wim.PartSoftware, wim.PartLegal:
		return fmt.Errorf("a site cannot be sent a part of kind %s", p.Kind)
	}
	part := wim.Part{Kind: p.Kind, Name: p.Name, Version: p.Version, Digest: p.Digest}
	kept := w.Active[:0:0]
	for _, x := range w.Active {
		if place(x.Kind, x.Name) != place(part.Kind, part.Name) {
			kept = append(kept, x)
		}
	}
	w.Active = append(kept, part)
	return nil
}

// Check tells what is wrong with a parcel's bytes, by loading them as a site would.
func Check(kind wim.PartKind, name string, b []byte) error {
	return load(&edge.Works{}, &seal.Parcel{Kind: kind, Name: name}, b)
}

func (s *settings) into(w *edge.Works) {
	if v := s.Road.PostedGross; v != nil {
		w.Road.Posted.Gross = *v
	}
	if v := s.Road.PostedAxle; v != nil {
		w.Road.Posted.Axle = *v
	}
	if v := s.Road.PostedSign; v != nil {
		w.Road.Posted.Sign = *v
	}
	w.Purposes = maps.Clone(w.Purposes)
	for _, l := range s.Lanes {
		if w.Purposes == nil {
			w.Purposes = map[wim.LaneID]wim.LanePurpose{}
		}
		w.Purposes[l.Lane] = l.Purpose
	}
}
