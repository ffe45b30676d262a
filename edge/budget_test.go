package edge

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// album is a site that does not run, with pictures in its journal and folder.
type album struct {
	*Site
	t     *testing.T
	names map[wim.Digest]string
	wall  time.Time
	since time.Duration
	seq   uint32
}

// pictureBytes is what each picture takes.
const pictureBytes = 1000

func newAlbum(t *testing.T) *album {
	t.Helper()
	a := &album{t: t, names: map[wim.Digest]string{}, wall: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), since: time.Hour}
	r := newRig(t)
	keeper := OpenTimekeeper(TimekeeperConfig{System: func() wim.ClockState { return wim.ClockSynchronised },
		Now: func() time.Time { return a.wall }, Elapsed: func() time.Duration { return a.since }})
	j, err := journal.Open(t.Context(), journal.Config{Path: r.path(), Site: testSite, Key: r.signer.ID, Now: keeper.Proven})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	a.Site, err = New(Config{
		Site: testSite, Journal: j, Signer: r.signer, CenterKeys: []*seal.Verifier{r.center.key.Verifier()}, Link: r.center, Rules: testJudge{},
		Lanes: []LaneConfig{{Lane: 1, Device: "scale-1", Scale: r.scale}}, Pictures: PictureConfig{Dir: filepath.Join(r.dir, "pictures")},
		Timekeeper: keeper, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// pass moves both clocks.
func (a *album) pass(d time.Duration) {
	a.wall, a.since = a.wall.Add(d), a.since+d
}

// take stores a picture under a name of its own, with the record that names it.
func (a *album) take(name string, found bool) wim.Digest {
	a.t.Helper()
	jpeg := append([]byte(name), bytes.Repeat([]byte{0}, pictureBytes-len(name))...)
	if err := a.store.put(jpeg); err != nil {
		a.t.Fatal(err)
	}
	d := wim.DigestOf(jpeg)
	a.names[d] = name
	a.seq++
	at := wim.TimeOf(a.wall)
	src := wim.DeviceCursor{Device: "scale-1", Boot: 7, Seq: a.seq}
	_, err := a.cfg.Journal.Append(a.t.Context(), []journal.Draft{{Kind: wim.KindPassage, Lane: 1, Time: at, Cursors: []wim.DeviceCursor{src},
		Passage: &wim.Passage{Source: src, Facts: wim.Facts{Time: at, Purpose: wim.Enforcement, Vehicle: wim.Vehicle{Lane: 1, Start: at, End: at}},
			Verdict: wim.Verdict{RuleSet: "t", Judge: "1"}},
		Pictures: []journal.Picture{{Digest: d, Size: pictureBytes, Found: found}}}})
	if err != nil {
		a.t.Fatal(err)
	}
	return d
}

func (a *album) handedIn(d wim.Digest) {
	a.t.Helper()
	if err := a.cfg.Journal.PictureUploaded(a.t.Context(), d); err != nil {
		a.t.Fatal(err)
	}
}

// left are the names of the pictures that are still there, in the journal and in the folder alike.
func (a *album) left() []string {
	a.t.Helper()
	var out []string
	if err := a.cfg.Journal.EachPicture(a.t.Context(), func(d wim.Digest) {
		out = append(out, a.names[d])
		if _, err := os.Stat(a.store.path(d)); err != nil {
			a.t.Errorf("%s: %v", a.names[d], err)
		}
	}); err != nil {
		a.t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(a.cfg.Pictures.Dir, "*"))
	if err != nil || len(files) != len(out) {
		a.t.Errorf("%d files for %d pictures, %v", len(files), len(out), err)
	}
	slices.Sort(out)
	return out
}

func (a *album) counts() string {
	return fmt.Sprint(labelled(a.t, a.Site, "axlegate_edge_pictures_total", pictureMadeRoom),
		labelled(a.t, a.Site, "axlegate_edge_pictures_total", pictureDropped), labelled(a.t, a.Site, "axlegate_edge_pictures_total", pictureDroppedFinding))
}

func TestPicturesBeyondTheirBudgetGoInTheOrderInWhichTheyAreNeededLeast(t *testing.T) {
	for room, want := range map[int64]struct {
		left   []string
		counts string
	}{
		6: {[]string{"1 found, handed in", "2 plain", "3 found", "4 plain, handed in", "5 plain", "6 found"}, "0 0 0"},
		5: {[]string{"2 plain", "3 found", "4 plain, handed in", "5 plain", "6 found"}, "1 0 0"},
		4: {[]string{"2 plain", "3 found", "5 plain", "6 found"}, "2 0 0"},
		3: {[]string{"3 found", "5 plain", "6 found"}, "2 1 0"},
		2: {[]string{"3 found", "6 found"}, "2 2 0"},
		1: {[]string{"6 found"}, "2 2 1"},
	} {
		t.Run(fmt.Sprintf("room for %d", room), func(t *testing.T) {
			a := newAlbum(t)
			a.handedIn(a.take("1 found, handed in", true))
			a.take("2 plain", false)
			a.take("3 found", true)
			a.handedIn(a.take("4 plain, handed in", false))
			a.take("5 plain", false)
			a.take("6 found", true)
			a.cfg.Pictures.MaxBytes = room * pictureBytes
			var age pictureAge
			a.keepPictures(t.Context(), &age)
			if got := a.left(); !slices.Equal(got, want.left) || a.counts() != want.counts {
				t.Errorf("%q, counted %s; want %q, %s", got, a.counts(), want.left, want.counts)
			}
			a.keepPictures(t.Context(), &age)
			if got := a.left(); !slices.Equal(got, want.left) {
				t.Errorf("a second look: %q", got)
			}
			if head, _ := a.cfg.Journal.Head(); head != 7 {
				t.Errorf("%d records", head)
			}
		})
	}
}

func TestWhatPassesLaterFindsMakesEarlierPicturesWorthMore(t *testing.T) {
	a := newAlbum(t)
	early := a.take("a", false)
	a.take("b", false)
	if _, err := a.cfg.Journal.Append(t.Context(), []journal.Draft{{Kind: wim.KindSupplement, Lane: 1, Time: wim.TimeOf(a.wall), Supplement: &wim.Supplement{Cause: "late-plate"},
		Found: []wim.Digest{early, {1}}}}); err != nil {
		t.Fatal(err)
	}
	a.cfg.Pictures.MaxBytes = pictureBytes
	var age pictureAge
	a.keepPictures(t.Context(), &age)
	if got := a.left(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q", got)
	}
}

func TestAPictureThatWaitedTooLongGoesUnlessItShowsAFinding(t *testing.T) {
	a := newAlbum(t)
	a.cfg.Pictures.MaxAge = 24 * time.Hour
	var age pictureAge
	a.take("old", false)
	a.take("old, found", true)
	a.pass(20 * time.Hour)
	a.take("young", false)
	a.keepPictures(t.Context(), &age)
	if got := a.left(); len(got) != 3 {
		t.Errorf("%q", got)
	}
	a.pass(5 * time.Hour)
	a.keepPictures(t.Context(), &age)
	if got := a.left(); !slices.Equal(got, []string{"old, found", "young"}) || a.counts() != "0 1 0" {
		t.Errorf("%q, %s", got, a.counts())
	}
}

func TestAClockThatIsSetAYearForwardDeletesNoPicture(t *testing.T) {
	a := newAlbum(t)
	a.cfg.Pictures.MaxAge = 24 * time.Hour
	var age pictureAge
	a.take("a", false)
	a.keepPictures(t.Context(), &age)
	a.wall = a.wall.AddDate(1, 0, 0) // a dead clock learns the year
	a.pass(2 * time.Minute)          // and is believed
	for range 5 {
		a.keepPictures(t.Context(), &age)
		a.pass(4 * time.Hour)
	}
	if got := a.left(); len(got) != 1 {
		t.Fatal("a picture of today was deleted as a year old")
	}
	a.pass(24 * time.Hour)
	a.keepPictures(t.Context(), &age)
	if got := a.left(); len(got) != 0 {
		t.Errorf("it is never let go: %q", got)
	}
}

func TestOneSweepTakesABoundedNumber(t *testing.T) {
	a := newAlbum(t)
	for i := range sweepMost + 10 {
		a.take(fmt.Sprint(i), false)
	}
	a.cfg.Pictures.MaxBytes = pictureBytes
	var age pictureAge
	a.keepPictures(t.Context(), &age)
	if n := len(a.left()); n != 10 {
		t.Errorf("%d are left", n)
	}
}

func TestRecordsThatNeedSpaceCostHandedInPicturesFirst(t *testing.T) {
	a := newAlbum(t)
	a.handedIn(a.take("handed in", true))
	a.take("plain", false)
	a.take("found", true)
	a.cfg.Disk.MinFree = 1 << 60 // no disk has so much
	var age pictureAge
	a.keepPictures(t.Context(), &age)
	if got := a.left(); !slices.Equal(got, []string{"found", "plain"}) || a.counts() != "1 0 0" {
		t.Errorf("%q, %s", got, a.counts())
	}
}
