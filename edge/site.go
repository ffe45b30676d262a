package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
)

// The life of a site.
const (
	stateIdle int32 = iota
	stateRunning
	stateDone
)

const (
	// sensorStop bounds how long shutdown waits for a driver that does not end.
	sensorStop = 5 * time.Second
	// restartFirst and restartMost are the pauses before a driver that ended by itself is started again.
	restartFirst = 500 * time.Millisecond
	restartMost  = 30 * time.Second
	housekeeping = 10 * time.Minute
)

// Site is one weighing site: its lanes, recorder, sender and picture uploader.
type Site struct {
	cfg      Config
	log      *slog.Logger
	m        *metrics
	store    *pictureStore
	lanes    []*lane
	keys     *keyring
	works    works
	inquiry  *inquiry // nil where the centre is not asked
	keyed    keyedLicences
	recorder *recorder
	linker   *linker
	sender   *sender
	uploader *uploader
	overseer *overseer
	around   surroundings
	state    atomic.Int32
}

// New builds a site. Nothing runs yet. The journal must be open and stays the caller's.
func New(cfg Config) (*Site, error) {
	cfg.Lanes = append([]LaneConfig(nil), cfg.Lanes...) // Validate fills in defaults
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	store, err := openPictureStore(cfg.Pictures.Dir)
	if err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	s := &Site{cfg: cfg, log: cfg.Logger, m: newMetrics(), store: store, overseer: newOverseer()}
	if s.keys, err = newKeyring(context.Background(), &s.cfg); err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	s.sender = newSender(&s.cfg, s.keys, s.m)
	s.uploader = newUploader(&s.cfg, store, s.keys, s.m)
	store.room = s.roomForPicture
	s.recorder = newRecorder(&s.cfg, store, s.m, func() {
		s.sender.hint()
		s.uploader.hint()
	})
	s.linker = newLinker(&s.cfg, s.m, s.recorder.in, s.recorder.failSafe.Load)
	if len(s.cfg.Systems) > 0 {
		s.recorder.noted = s.linker.noted
	}
	s.works.use(&Works{Rules: cfg.Rules, Registrations: cfg.Registrations, Road: cfg.Road, Station: cfg.Station,
		Active: slices.SortedFunc(slices.Values(cfg.Active), comparePart)})
	s.inquiry = newInquiry(&s.cfg, s.keys, s.m)
	for _, lc := range cfg.Lanes {
		m := s.m.lane(lc.Lane)
		l := newLane(&s.cfg, lc, &s.works, m, s.recorder.in, s.recorder.failSafe.Load)
		l.inquiry, l.licences, l.covered = s.inquiry, &s.keyed, s.covered
		if lc.Sign != nil {
			l.director = newDirector(&lc, cfg.Logger, m)
		}
		s.lanes = append(s.lanes, l)
	}
	for _, l := range s.lanes {
		for _, n := range s.lanes {
			if slices.Contains(n.cfg.Beside, l.cfg.Lane) {
				l.neighbours = append(l.neighbours, n.beside)
			}
		}
	}
	if err := s.m.registry.Register(newScraped(s)); err != nil {
		return nil, fmt.Errorf("edge: metrics: %w", err)
	}
	return s, nil
}

// HandleReceipt takes in a receipt as the link received it. It only enqueues.
func (s *Site) HandleReceipt(jws []byte) { s.sender.receipt(jws) }

// Run works until ctx ends, then shuts down in order: sensors, what they had sent, the records of it, the last
// receipts. It may run once. With an error that is journal.ErrDamaged it ended by itself, because its journal has to be
// recovered; what it held in memory is then named by the gap that the next start finds.
func (s *Site) Run(ctx context.Context) error {
	if !s.state.CompareAndSwap(stateIdle, stateRunning) {
		return errors.New("edge: a site runs once")
	}
	defer s.state.Store(stateDone)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	s.recorder.damaged = func(err error) { end(err) }
	s.sender.damaged = s.recorder.damaged
	if n, err := s.store.sweep(ctx, s.cfg.Journal); err != nil {
		s.log.Warn("could not sweep the picture folder", "err", err)
	} else if n > 0 {
		s.log.Info("deleted pictures that no record names", "count", n)
	}
	now := wim.TimeOf(s.cfg.Now())
	for _, l := range s.lanes {
		kept, err := s.cfg.Journal.Recent(ctx, l.cfg.Lane, now-wim.Time(s.cfg.Plates.Late), 2*maxPassed)
		if err != nil {
			return fmt.Errorf("edge: lane %d: %w", l.cfg.Lane, err)
		}
		l.recall(kept)
	}

	if err := s.linker.recall(ctx, s.lanes); err != nil {
		return fmt.Errorf("edge: %w", err)
	}
	works, changed, err := s.configuration(ctx)
	if err != nil {
		return err
	}

	// Each stage lives longer than the one that feeds it, so each has a context of its own.
	base := context.WithoutCancel(ctx)
	var sensors, lanes, signs, recorder, outbox sync.WaitGroup
	signsCtx, stopSigns := context.WithCancel(base)
	outboxCtx, stopOutbox := context.WithCancel(base)
	defer stopSigns()
	defer stopOutbox()

	if changed {
		s.recorder.in <- works // the first in an empty queue
	}
	if d := s.keys.draft(now, s.cfg.Clock(), s.cfg.Site); d != nil {
		s.recorder.in <- group{drafts: []journal.Draft{*d}}
	}
	recorder.Go(func() { s.recorder.run(base) })
	outbox.Go(func() { s.sender.run(outboxCtx) })
	var rest sync.WaitGroup
	restCtx, stopRest := context.WithCancel(base)
	defer stopRest()
	rest.Go(func() { s.uploader.run(restCtx) })
	if s.inquiry != nil {
		s.inquiry.lanes = s.lanes
		rest.Go(func() { s.inquiry.run(restCtx) })
	}
	rest.Go(func() { s.keepHouse(restCtx) })
	rest.Go(func() { s.watchDisk(restCtx) })
	rest.Go(func() { s.oversee(restCtx) })
	rest.Go(func() { s.cfg.Timekeeper.Run(restCtx) })
	for _, l := range s.lanes {
		lanes.Go(l.run)
		if l.director != nil {
			signs.Go(func() { l.director.run(signsCtx) })
		}
		sensors.Go(func() {
			s.supervise(ctx, l.cfg.Device, func(ctx context.Context) error { return l.cfg.Scale.Run(ctx, l.emitReading) })
		})
		if z := l.cfg.Sizer; z != nil {
			sensors.Go(func() { s.supervise(ctx, z.Device, l.runSizer) })
		}
		for _, cam := range l.cfg.Cameras {
			sensors.Go(func() {
				s.supervise(ctx, cam.Device, func(ctx context.Context) error {
					return cam.Camera.Run(ctx, func(r wim.PlateRead, jpeg []byte) bool { return l.emitPlate(cam.Device, r, jpeg) })
				})
			})
		}
	}
	for i := range s.cfg.Systems {
		y := &s.cfg.Systems[i]
		sensors.Go(func() {
			s.supervise(ctx, y.System, func(ctx context.Context) error {
				return y.Transactions.Run(ctx, func(ctx context.Context, t wim.Transaction) error { return s.linker.take(ctx, y, t) })
			})
		})
	}
	for i := range s.cfg.Contacts {
		c := &s.cfg.Contacts[i]
		sensors.Go(func() {
			s.supervise(ctx, c.Device, func(ctx context.Context) error { return c.Contact.Run(ctx, func(active bool) { s.contact(c, active) }) })
		})
	}
	linking, stopLinking := context.WithCancel(base)
	defer stopLinking()
	var linker sync.WaitGroup
	if len(s.cfg.Systems) > 0 {
		linker.Go(func() { s.linker.run(linking) })
	}
	s.log.Info("site runs", "site", s.cfg.Site, "lanes", len(s.lanes), "chain", s.cfg.Journal.Chain())

	<-ctx.Done()
	s.log.Info("site stops: sensors first")
	if !waitFor(&sensors, sensorStop) {
		s.log.Error("a driver does not stop; what it still reads is not taken in")
	}
	for _, l := range s.lanes {
		close(l.stop)
	}
	lanes.Wait()
	stopSigns()
	signs.Wait()
	s.works.close()
	stopLinking()
	linker.Wait()
	last, enough := context.WithTimeout(base, sensorStop)
	s.linker.settle(last) // with what the lanes told last
	enough()
	s.linker.close()
	s.shutAround()
	close(s.recorder.in)
	recorder.Wait()
	stopRest()
	close(s.sender.flush)
	if !waitFor(&outbox, s.cfg.Drain) {
		head, _ := s.sender.journal.Head()
		s.log.Info("not everything is receipted; it is sent at the next start", "records", head-s.sender.marked())
	}
	stopOutbox()
	outbox.Wait()
	rest.Wait()
	s.log.Info("site stopped")
	if why := context.Cause(ctx); errors.Is(why, journal.ErrDamaged) {
		return fmt.Errorf("edge: %w", why)
	}
	return nil
}

// waitFor waits for a group, at most d.
func waitFor(g *sync.WaitGroup, d time.Duration) bool {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// supervise runs a driver until ctx ends, again after a growing pause when it ends by itself. A panic of a
// driver is its own affair too.
func (s *Site) supervise(ctx context.Context, name string, run func(context.Context) error) {
	pause := restartFirst
	for {
		began := time.Now()
		err := guarded(ctx, run)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > restartMost {
			pause = restartFirst
		}
		s.m.deviceRestarts.WithLabelValues(name).Inc()
		s.overseer.ended(name, time.Now(), err)
		s.log.Error("a driver ended by itself and is started again; its lane goes without it meanwhile", "device", name, "err", err, "pause", pause)
		t := time.NewTimer(pause + rand.N(pause/4))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		pause = min(2*pause, restartMost)
	}
}

func guarded(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if err = run(ctx); err == nil {
		err = errors.New("it returned without an error")
	}
	return err
}

// keepHouse prunes what is receipted and old enough, by the proven time: a clock that was set forward deletes
// nothing early.
func (s *Site) keepHouse(ctx context.Context) {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n, err := s.cfg.Journal.Prune(ctx, s.cfg.Timekeeper.Proven()); err != nil {
			s.log.Warn("could not prune the journal", "err", err)
		} else if n > 0 {
			s.log.Info("pruned records that the centre holds", "count", n)
		}
		gone, err := s.cfg.Journal.PrunePictures(ctx, s.cfg.Timekeeper.Proven())
		if err != nil {
			s.log.Warn("could not prune pictures", "err", err)
		}
		for _, d := range gone {
			if err := s.store.remove(d); err != nil {
				s.log.Warn("could not delete a picture; the next start sweeps it", "err", err)
			}
		}
	}
}
