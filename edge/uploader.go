package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/axlegate/axlegate/edge/journal"
	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

const (
	uploadBatch = 16
	// uploadTries is how often the centre may refuse one picture before it is set aside.
	uploadTries = 5
	uploadPause = time.Second
	uploadIdle  = 30 * time.Second // a look without a hint
)

// errRefused marks an answer that will not change by waiting.
var errRefused = errors.New("refused")

// uploader hands pictures in over HTTP, each under a grant that the site's key signs. Pictures come after
// records in everything: they have a goroutine of their own and wait when the line is bad.
type uploader struct {
	journal *journal.Journal
	store   *pictureStore
	ring    *keyring
	site    wim.SiteID
	base    string
	client  *http.Client
	now     func() time.Time
	log     *slog.Logger
	m       *metrics
	hints   chan struct{}
	pause   time.Duration // the first after a failure; it doubles up to 64 times

	tries map[wim.Digest]int // of pictures that the centre refused; owned by run
}

func newUploader(c *Config, store *pictureStore, ring *keyring, m *metrics) *uploader {
	return &uploader{
		journal: c.Journal, store: store, ring: ring, site: c.Site, base: strings.TrimSuffix(c.Pictures.Base, "/"), client: c.Pictures.Client,
		now: c.Timekeeper.Latest, log: c.Logger, m: m, hints: make(chan struct{}, 1), pause: uploadPause, tries: map[wim.Digest]int{},
	}
}

func (u *uploader) hint() {
	select {
	case u.hints <- struct{}{}:
	default:
	}
}

// run uploads until ctx ends.
func (u *uploader) run(ctx context.Context) {
	if u.base == "" || u.store.dir == "" {
		return
	}
	pause := time.Duration(0)
	for {
		left, err := u.batch(ctx)
		wait := uploadIdle
		switch {
		case err != nil:
			pause = min(max(2*pause, u.pause), 64*u.pause)
			wait = pause
		case left:
			pause, wait = 0, 0
		default:
			pause = 0
		}
		hints := u.hints
		if err != nil {
			hints = nil // new pictures do not shorten the pause of a bad line
		}
		if wait == 0 {
			if ctx.Err() != nil {
				return
			}
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-hints:
		case <-t.C:
		}
		t.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// batch uploads some pictures. left tells that more wait; an error means that the line or the centre is in
// trouble and a pause is due.
func (u *uploader) batch(ctx context.Context) (left bool, err error) {
	list, err := u.journal.WaitingPictures(ctx, uploadBatch)
	if err != nil {
		u.log.Warn("could not read which pictures wait", "err", err)
		return false, err
	}
	for _, p := range list {
		err := u.put(ctx, p)
		switch {
		case err == nil:
			delete(u.tries, p.Digest)
			u.m.pictures.WithLabelValues("uploaded").Inc()
			if err := u.journal.PictureUploaded(ctx, p.Digest); err != nil {
				return false, err
			}
		case ctx.Err() != nil:
			return false, ctx.Err()
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errRefused) && u.tries[p.Digest]+1 >= uploadTries:
			delete(u.tries, p.Digest)
			u.m.pictures.WithLabelValues("refused").Inc()
			u.log.Error("a picture is set aside and not offered again; its record is not affected", "digest", p.Digest, "err", err)
			if err := u.journal.PictureRefused(ctx, p.Digest, shorten(err.Error())); err != nil {
				return false, err
			}
		default:
			if errors.Is(err, errRefused) {
				u.tries[p.Digest]++
			}
			u.m.pictures.WithLabelValues("failed").Inc()
			u.log.Debug("a picture could not be handed in yet", "digest", p.Digest, "err", err)
			return false, err
		}
	}
	return len(list) == uploadBatch, nil
}

func (u *uploader) put(ctx context.Context, p journal.Picture) error {
	f, err := u.store.open(p.Digest)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read; the transport closes it too
	grant, err := seal.SignPicture(u.ring.signer(), seal.PictureGrant{Site: u.site, Digest: p.Digest, Time: wim.TimeOf(u.now())})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, u.base+"/pictures/"+p.Digest.String(), f)
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	req.ContentLength = p.Size
	req.Header.Set("Authorization", "Axlegate "+grant)
	req.Header.Set("Content-Type", "image/jpeg")
	resp, err := u.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()                                 //nolint:errcheck // the status is the answer
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // only the explanation of the status
	switch code := resp.StatusCode; {
	case code == http.StatusOK, code == http.StatusCreated, code == http.StatusNoContent, code == http.StatusConflict:
		return nil
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnsupportedMediaType, code == http.StatusUnprocessableEntity:
		// The picture itself is refused. 401 and 403 are about the site's key or clock and concern all alike.
		return fmt.Errorf("%w: %s: %s", errRefused, resp.Status, strings.TrimSpace(string(text)))
	default:
		return fmt.Errorf("the centre answered %s", resp.Status)
	}
}
