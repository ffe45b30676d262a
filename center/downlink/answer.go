package downlink

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// Register knows what vehicles are registered for.
type Register interface {
	// Find gives the licence of a normalised plate, nil for one that it does not have, and names itself with its
	// version. ok is false while there is no register at all: then nobody is answered.
	Find(plate string) (r *wim.Registration, source string, ok bool)
}

// AnswerConfig says what an Answerer works with. Keys, Signer, Register and Publish are needed.
type AnswerConfig struct {
	Keys     func(wim.SiteID) (keys []*seal.Verifier, ok bool)
	Signer   *seal.Signer
	Register Register
	// Publish sends an answer to a site; one that is away does without.
	Publish func(ctx context.Context, site string, jws []byte) error
	// PerSecond bounds what one site may ask, on the long run; 0 means 5. Ten times as many may come at once.
	PerSecond float64
	Now       func() time.Time // nil means time.Now
	Logger    *slog.Logger     // nil discards
}

// Answerer answers sites that ask what a vehicle is registered for. It gives one licence for one plate that a site's
// signed question names, at a rate that nobody can copy a register with.
type Answerer struct {
	cfg   AnswerConfig
	log   *slog.Logger
	asks  *prometheus.CounterVec
	queue chan question

	mu     sync.Mutex
	limits map[string]*rate.Limiter // by site
}

type question struct {
	site string
	jws  []byte
}

const (
	questionQueue = 1024
	// askedApart is how old a question may be, or how far a site's clock ahead.
	askedApart = time.Hour
	maxAsk     = 4 << 10 // bytes
)

// NewAnswerer makes an Answerer.
func NewAnswerer(cfg AnswerConfig) (*Answerer, error) {
	if cfg.Keys == nil || cfg.Signer == nil || cfg.Register == nil || cfg.Publish == nil {
		return nil, errors.New("answers: keys, signer, register and publish are needed")
	}
	if cfg.PerSecond == 0 {
		cfg.PerSecond = 5
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Answerer{cfg: cfg, log: cfg.Logger.With("part", "answers"), queue: make(chan question, questionQueue), limits: map[string]*rate.Limiter{},
		asks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "axlegate_center_asks_total", Help: "Questions of sites what a vehicle is registered for, by what they were answered."}, []string{"result"})}, nil
}

// HandleAsk takes in a question as the link received it. It only enqueues; what does not fit is not answered.
func (a *Answerer) HandleAsk(site string, jws []byte) {
	select {
	case a.queue <- question{site, jws}:
	default:
		a.asks.WithLabelValues("dropped").Inc()
	}
}

// Run answers until ctx ends.
func (a *Answerer) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case q := <-a.queue:
			a.asks.WithLabelValues(a.answer(ctx, q)).Inc()
		}
	}
}

func (a *Answerer) answer(ctx context.Context, q question) (result string) {
	keys, ok := a.cfg.Keys(wim.SiteID(q.site))
	if !ok || len(q.jws) > maxAsk {
		return "refused"
	}
	if !a.limit(q.site).AllowN(a.cfg.Now(), 1) {
		return "too-fast"
	}
	ask, err := seal.VerifyAsk(string(q.jws), keys...)
	if err != nil || string(ask.Site) != q.site {
		a.log.Warn("a question was refused", "site", q.site, "error", err)
		return "refused"
	}
	if age := a.cfg.Now().Sub(ask.Time.Std()); age > askedApart || age < -askedApart {
		return "refused"
	}
	licence, source, ok := a.cfg.Register.Find(ask.Plate)
	if !ok {
		return "no-register"
	}
	jws, err := seal.SignAnswer(a.cfg.Signer, seal.Answer{Site: ask.Site, ID: ask.ID, Plate: ask.Plate, Color: ask.Color, Registration: licence, Source: source, Time: wim.TimeOf(a.cfg.Now())})
	if err == nil {
		pctx, cancel := context.WithTimeout(ctx, publishTime)
		err = a.cfg.Publish(pctx, q.site, []byte(jws))
		cancel()
	}
	switch {
	case err != nil:
		a.log.Debug("an answer did not get through", "site", q.site, "error", err)
		return "failed"
	case licence == nil:
		return "unknown"
	}
	return "answered"
}

// limit is a site's own.
func (a *Answerer) limit(site string) *rate.Limiter {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.limits[site]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(a.cfg.PerSecond), int(10*a.cfg.PerSecond))
		a.limits[site] = l
	}
	return l
}

// Describe implements prometheus.Collector.
func (a *Answerer) Describe(ch chan<- *prometheus.Desc) { a.asks.Describe(ch) }

// Collect implements prometheus.Collector.
func (a *Answerer) Collect(ch chan<- prometheus.Metric) { a.asks.Collect(ch) }
