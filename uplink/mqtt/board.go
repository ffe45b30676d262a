package mqtt

import (
	"errors"
	"sync"

	"github.com/axlegate/axlegate/uplink"
)

var errStale = errors.New("a late will")

// board keeps the last status of each site of a slot until it is passed on. Where several of a site come
// before that, the last alone is passed on, so that it never holds more than one per site.
type board struct {
	hint chan struct{} // gets a token when something is new

	mu    sync.Mutex
	last  map[string]uplink.SiteStatus // guarded by mu
	fresh []notice                     // guarded by mu; in order of each site's first news
}

// notice is a status to pass on.
type notice struct {
	site    string
	payload []byte
}

func newBoard() *board {
	return &board{hint: make(chan struct{}, 1), last: map[string]uplink.SiteStatus{}}
}

// put takes a status. It is errStale where it must not hide the one before, or uplink.ErrMessage.
func (b *board) put(site string, payload []byte) error {
	st, err := uplink.DecodeStatus(payload)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if st.Stale(b.last[site]) {
		return errStale
	}
	b.last[site] = st
	b.note(notice{site, payload})
	select {
	case b.hint <- struct{}{}:
	default:
	}
	return nil
}

// note is called with mu held.
func (b *board) note(n notice) {
	for i := range b.fresh {
		if b.fresh[i].site == n.site {
			b.fresh[i] = n
			return
		}
	}
	b.fresh = append(b.fresh, n)
}

// take empties the board of news.
func (b *board) take() []notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.fresh
	b.fresh = nil
	return out
}
