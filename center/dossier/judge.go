package dossier

import (
	"cmp"
	"errors"
	"slices"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// accounts are the readable records of the dossier that carry a verdict, in order.
func (v *verification) accounts() (out []*place) {
	for _, id := range v.order {
		for _, p := range v.chains[id].places {
			if p.r != nil && (p.r.Passage != nil || p.r.Supplement != nil) {
				out = append(out, p)
			}
		}
	}
	return out
}

// pictures compares each picture with the digest that a record names.
func (v *verification) pictures() {
	var named []wim.Digest
	for _, p := range v.accounts() {
		_, reads := judged(p.r)
		for _, x := range reads {
			if !x.Picture.IsZero() {
				named = appendNew(named, x.Picture)
			}
		}
	}
	for _, p := range v.c.Pictures {
		i := slices.Index(named, p.Digest)
		if i >= 0 {
			named = slices.Delete(named, i, i+1)
		}
		switch {
		case i < 0:
			v.wrong("picture", p.File, p.Digest)
		case p.File == "":
			v.open("no-picture", "", p.Digest)
		case wim.DigestOf(v.use(p.File)) != p.Digest:
			v.wrong("picture", p.File, p.File)
		default:
			v.proven("shows", p.File, p.File)
		}
	}
	for _, d := range named {
		v.wrong("picture-gap", contentsName, d)
	}
}

// judge judges every account again by the rule set that it names.
func (v *verification) judge() {
	sets := v.ruleSets()
	accounts := v.accounts()
	passages := map[wim.RecordRef]bool{}
	for _, p := range accounts {
		if p.r.Passage != nil {
			passages[p.at.Ref] = true
		}
	}
	if len(passages) == 0 && len(v.Wrong) == 0 {
		v.wrong("no-passage", contentsName)
	}
	for _, p := range accounts {
		facts, seq := factsOf(p.r), p.at.Ref.Seq
		verdict, _ := judged(p.r)
		if s := p.r.Supplement; s != nil {
			if !passages[s.Of] {
				v.wrong("supplement", p.at.File, seq)
				continue
			}
			v.proven("adds", p.at.File, seq, s.Of.Seq)
		}
		set, ok := sets[verdict.Rules]
		switch {
		case !ok:
			v.open("no-rules", p.at.File, verdict.Rules)
		case verdict.Judge != rules.Version:
			v.open("other-judge", p.at.File, seq, verdict.Judge, rules.Version)
		default:
			var again wim.Verdict
			set.Judge(facts, &again)
			if !again.Equal(verdict) {
				v.wrong("verdict", p.at.File, seq)
				continue
			}
			v.proven("judged", p.at.File, seq, set.ID())
		}
	}
}

func factsOf(r *wim.Record) *wim.Facts {
	if r.Passage != nil {
		return &r.Passage.Facts
	}
	return &r.Supplement.Facts
}

func (v *verification) ruleSets() map[wim.Digest]*rules.Set {
	sets := map[wim.Digest]*rules.Set{}
	for _, s := range v.c.Rules {
		if s.File == "" {
			continue
		}
		yaml := v.use(s.File)
		set, err := rules.Load(s.File, yaml)
		if err == nil && set.Digest() != s.Digest {
			err = errors.New("its digest is another")
		}
		if err != nil {
			v.wrong("rules", s.File, err)
			continue
		}
		sets[s.Digest] = set
	}
	return sets
}

// says tells what the records and the centre state, and what nothing here can prove.
func (v *verification) says() {
	for _, p := range v.accounts() {
		v.account(p)
	}
	for _, id := range v.order {
		for _, p := range v.chains[id].places {
			if p.r != nil && p.r.Configuration != nil {
				for _, x := range p.r.Configuration.Active {
					v.stated("configuration", p.at.File, p.r.Seq, term(x.Kind), x.Name, x.Digest)
				}
				v.open("between", "")
			}
		}
	}
	for _, k := range v.c.Keys {
		if k.Of != OfSite {
			continue
		}
		v.stated("key-history", k.File, k.ID, term(k.Source), cmp.Or(k.By, "—"), orDash(k.Since), orDash(k.Until))
		if len(v.trust.SiteKeys) == 0 {
			v.open("owner", k.File, k.ID)
		}
	}
	v.stated("officers", contentsName, len(v.c.Acts), len(v.c.Cases), len(v.c.Alerts))
	for _, code := range []string{"clock", "scale", "neighbours", "acts"} {
		v.open(code, "")
	}
	for _, m := range v.c.Missing {
		v.open("centre-says-not", "", term(m.What), m.Name)
	}
}

func (v *verification) account(p *place) {
	f, seq, file := factsOf(p.r), p.at.Ref.Seq, p.at.File
	v.stated("passed", file, seq, f.Time, f.Vehicle.Lane, clockTerm(f.Clock))
	if f.Clock != wim.ClockSynchronised {
		v.open("clock-bad", file, seq, clockTerm(f.Clock))
	}
	verdict, _ := judged(p.r)
	for _, o := range verdict.Opinions {
		v.stated("opinion", file, seq, term(o.Competence), term(o.Outcome), term(o.Standing))
	}
	c := f.Instrument.Certificate
	if c != nil {
		v.stated("certificate", file, seq, f.Instrument.ID, c.Number, c.Scheme, c.Class, c.ValidFrom, c.ValidUntil)
	}
	if c == nil || !c.InForce(f.Time) || !c.CoversLane(f.Vehicle.Lane) {
		v.open("no-certificate", file, seq)
	}
	sw := &p.r.Software
	if p.r.Format < 2 {
		v.open("no-format-2", file, seq)
		return
	}
	v.stated("software", file, seq, sw.Build, sw.BuildDigest, sw.Legal, sw.LegalDigest, sw.Calibration)
}

func orDash(t wim.Time) string {
	if t == 0 {
		return "—"
	}
	return t.String()
}
