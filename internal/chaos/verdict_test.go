package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/internal/audit"
	"github.com/axlegate/axlegate/internal/stand"
	"github.com/axlegate/axlegate/wim"
)

// window is when a fault was at work.
type window struct {
	fault    fault
	from, to time.Time // to is zero while it lasts
}

// grace is how long after a fault's end an installation may still be finding its feet: a link that is tried again
// with a growing pause, a lease that runs out.
const grace = 10 * time.Second

// overlaps tells whether it was at work, or had just been, between two moments.
func (w window) overlaps(a, b time.Time) bool {
	return w.from.Before(b) && (w.to.IsZero() || w.to.Add(grace).After(a))
}

// verdict is what a run comes to.
type verdict struct {
	audit    *audit.Report
	alerts   int
	chains   int
	overall  waited
	calm     waited // alerts whose way no fault crossed
	late     int    // alerts that a plate which came later raised
	problems []string
	losses   []string // lost and doubled, with what was going on
}

// waited is how long alerts took from the vehicle's end.
type waited struct {
	n       int
	longest time.Duration
	which   string
}

func (w *waited) add(d time.Duration, which string) {
	w.n++
	if d > w.longest {
		w.longest, w.which = d, which
	}
}

type message struct {
	site wim.SiteID
	wim.DeviceCursor
}

// ends reads when each vehicle of a truth had passed.
func ends(path string, into map[message]time.Time) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), 1<<20)
	for s.Scan() {
		var v struct {
			Site   wim.SiteID `json:"site"`
			Device string     `json:"device"`
			Boot   uint32     `json:"boot"`
			EndSeq uint32     `json:"end_seq"`
			End    time.Time  `json:"end"`
		}
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if v.EndSeq != 0 {
			into[message{v.Site, wim.DeviceCursor{Device: v.Device, Boot: v.Boot, Seq: v.EndSeq}}] = v.End
		}
	}
	return s.Err()
}

// judge holds the store against the truth.
func judge(ctx context.Context, s *stand.Stand, vehicles int, windows []window) (*verdict, error) {
	v := &verdict{}
	var truth []audit.Vehicle
	ended := map[message]time.Time{}
	for _, site := range s.Sites {
		f, err := os.Open(site.Truth)
		if err != nil {
			return nil, err
		}
		of, err := audit.ReadTruth(f)
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		if len(of) != 2*vehicles {
			v.problems = append(v.problems, fmt.Sprintf("%s: %d vehicles in the truth, want %d", site.Site, len(of), 2*vehicles))
		}
		truth = append(truth, of...)
		if err := ends(site.Truth, ended); err != nil {
			return nil, err
		}
	}
	var records []*wim.Record
	rep, err := store.Audit(ctx, s.Store, func(r *wim.Record, _ []byte) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	v.chains = len(rep.Chains)
	for _, p := range rep.Problems {
		v.problems = append(v.problems, "the store's own audit: "+p)
	}
	v.audit = audit.Compare(truth, records)
	for _, l := range append(slices.Clone(v.audit.Lost), v.audit.Doubled...) {
		v.losses = append(v.losses, l+goingOn(l, ended, windows))
	}
	for _, of := range [][]string{v.audit.Invented, v.audit.Wrong, v.audit.Broken} {
		v.problems = append(v.problems, of...)
	}
	return v, v.alerted(ctx, s, records, ended, windows)
}

// goingOn names the faults that were at work when the vehicle of a finding had passed.
func goingOn(finding string, ended map[message]time.Time, windows []window) string {
	for m, at := range ended {
		if !strings.HasPrefix(finding, fmt.Sprintf("%s %s boot %d end %d ", m.site, m.Device, m.Boot, m.Seq)) {
			continue
		}
		var of []string
		for _, w := range windows {
			if w.overlaps(at, at) {
				of = append(of, w.fault.String())
			}
		}
		if len(of) == 0 {
			of = append(of, "nothing")
		}
		return fmt.Sprintf("; passed at %s, while or just after: %s", at.Format("15:04:05.000"), strings.Join(of, ", "))
	}
	return ""
}

// account is what an alert is for.
type account struct {
	record wim.RecordRef
	of     wim.Competence
}

func exceeded(v *wim.Verdict, of wim.Competence) bool {
	return slices.ContainsFunc(v.Opinions, func(o wim.Opinion) bool {
		return o.Competence == of && o.Outcome == wim.Exceeded && o.Standing != wim.Void
	})
}

func competences() []wim.Competence {
	return []wim.Competence{wim.RoadAdministration, wim.TrafficPolice}
}

// alerted checks that each excess was alerted once to each authority that it concerns, and how long that took.
func (v *verdict) alerted(ctx context.Context, s *stand.Stand, records []*wim.Record, ended map[message]time.Time, windows []window) (err error) {
	want := map[account]bool{}
	passed := map[wim.RecordRef]*wim.Record{}
	at := func(site wim.SiteID, chain wim.ChainID, seq uint64) wim.RecordRef {
		return wim.RecordRef{Site: site, Chain: chain, Seq: seq}
	}
	for _, r := range records {
		for _, c := range competences() {
			if r.Passage != nil && exceeded(&r.Passage.Verdict, c) {
				want[account{at(r.Site, r.Chain, r.Seq), c}] = true
			}
			if r.Supplement != nil && exceeded(&r.Supplement.Verdict, c) {
				want[account{at(r.Site, r.Supplement.Of.Chain, r.Supplement.Of.Seq), c}] = true
			}
		}
		if r.Passage != nil {
			passed[at(r.Site, r.Chain, r.Seq)] = r
		}
	}
	cfg := store.Config{Path: s.Store}
	if s.Postgres {
		cfg = store.Config{URL: s.Store}
	}
	st, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if e := st.Close(); err == nil {
			err = e
		}
	}()
	got := map[account]bool{}
	for _, c := range competences() {
		entries, _, err := st.Board(ctx, center.Viewer{Role: center.Enforcer, Competence: c}, 1<<20)
		if err != nil {
			return err
		}
		for i := range entries {
			e := &entries[i]
			o := e.Matter.Opening
			k := account{at(o.Site, o.Chain, o.Seq), e.Alert.Competence}
			if got[k] {
				v.problems = append(v.problems, fmt.Sprintf("alerted twice: %+v", k))
			}
			got[k] = true
			if e.Rejudged != center.RejudgedSame {
				v.problems = append(v.problems, fmt.Sprintf("%+v was judged again as %q", k, e.Rejudged))
			}
			r := passed[k.record]
			if r == nil {
				continue
			}
			if !exceeded(&r.Passage.Verdict, c) {
				v.late++
				continue
			}
			end, ok := ended[message{r.Site, r.Passage.Source}]
			if !ok {
				continue
			}
			raised := time.Unix(0, int64(e.Alert.Raised))
			which := fmt.Sprintf("%s record %d, %s", k.record.Site, k.record.Seq, c)
			v.overall.add(raised.Sub(end), which)
			if !slices.ContainsFunc(windows, func(w window) bool { return w.overlaps(end, raised) }) {
				v.calm.add(raised.Sub(end), which)
			}
		}
	}
	v.alerts = len(got)
	for k := range want {
		if !got[k] {
			v.problems = append(v.problems, fmt.Sprintf("exceeded and never alerted: %+v", k))
		}
	}
	for k := range got {
		if !want[k] {
			v.problems = append(v.problems, fmt.Sprintf("alerted without an excess: %+v", k))
		}
	}
	return nil
}
