package camera

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// alertStream is where ISAPI keeps its stream of events.
const alertStream = "/ISAPI/Event/notification/alertStream"

// Times of a stream.
const (
	streamIdle  = 30 * time.Second // cameras send an inactive alert every ten seconds or more often
	pictureWait = 2 * time.Second  // for the pictures that an event says it has
	holdFor     = 30 * time.Second // a read that the site cannot take is offered again so long
	firstPause  = time.Second
	longPause   = 30 * time.Second
)

// pull keeps the camera's stream of events open until ctx ends.
func (c *Camera) pull(ctx context.Context) {
	client := &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: c.cfg.TLS, ResponseHeaderTimeout: 10 * time.Second, DisableCompression: true, DisableKeepAlives: true,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		},
		// What a camera sends elsewhere must not be shown its password.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	pause := firstPause
	for {
		up, err := c.follow(ctx, client)
		if ctx.Err() != nil {
			return
		}
		c.down(err)
		if up {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

func (c *Camera) down(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	why := fmt.Sprintf("%v; look at the camera's address, its line and its user's right to events", err)
	if c.health.Up {
		c.log.Warn("the camera's stream ended; it is opened again", "error", err)
		c.health.Up, c.health.Since = false, wim.TimeOf(c.cfg.Now())
	}
	c.health.Reason = why
	c.health.Reconnects++
}

// follow reads the stream until it ends. up tells whether anything came.
func (c *Camera) follow(ctx context.Context, client *http.Client) (up bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, err := c.openStream(ctx, client) //nolint:bodyclose // it is closed below
	if err != nil {
		return false, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	media, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(media, "multipart/") {
		return false, fmt.Errorf("the stream is %q, want multipart", resp.Header.Get("Content-Type"))
	}
	c.heard()
	watch := time.AfterFunc(c.idle, func() { cancel(fmt.Errorf("nothing came for %s", c.idle)) })
	defer watch.Stop()
	parts := make(chan picture)
	ended := make(chan error, 1)
	go func() {
		s := newPartReader(resp.Body, params["boundary"], c.cfg.MaxBody)
		for {
			p, err := s.next()
			if err != nil {
				ended <- err
				return
			}
			watch.Reset(c.idle)
			select {
			case parts <- p:
			case <-ctx.Done():
				ended <- ctx.Err()
				return
			}
		}
	}()
	var open []event // the event whose pictures are still to come
	var missing int
	flush := func() {
		if len(open) > 0 {
			c.offer(ctx, open)
		}
		open, missing = nil, 0
	}
	patience := time.NewTimer(pictureWait)
	defer patience.Stop()
	for {
		select {
		case err := <-ended:
			flush()
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return up, err
		case <-patience.C:
			flush()
		case p := <-parts:
			up = true
			c.heard()
			if first := bytes.TrimLeft(p.data, " \r\n\t\ufeff"); len(first) == 0 || first[0] != '<' && first[0] != '{' {
				if len(open) > 0 && len(open[0].pictures) < maxParts {
					open[0].pictures = append(open[0].pictures, p)
					if missing > 0 {
						missing--
					}
				}
			} else {
				flush()
				events, n, err := c.alertOf(first)
				if err != nil {
					c.bad(1)
					c.log.Warn("an event of the stream was left out", "reason", err)
				}
				open, missing = events, n
				patience.Reset(pictureWait)
			}
			if missing == 0 {
				flush()
			}
		}
	}
}

// alertOf reads one document of the stream and how many pictures follow it.
func (c *Camera) alertOf(doc []byte) (events []event, pictures int, err error) {
	if events, err = c.dialect.decode(MediaType(doc), doc, c.cfg.Zone); err != nil || len(events) == 0 {
		return nil, 0, err
	}
	pictures = -1 // it does not say: they are waited for
	if _, rest, ok := bytes.Cut(doc, []byte("picNum")); ok {
		rest = bytes.TrimLeft(rest, `>":= `)
		if i := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i > 0 {
			pictures, _ = strconv.Atoi(string(rest[:i]))
		}
	}
	return events, min(pictures, maxParts), nil
}

// offer hands events on, again and again where the site cannot take them: a stream cannot be asked to send again.
func (c *Camera) offer(ctx context.Context, events []event) {
	give := time.NewTimer(holdFor)
	defer give.Stop()
	for !c.take(events) {
		select {
		case <-ctx.Done():
			return
		case <-give.C:
			c.bad(len(events))
			c.log.Error("a read was lost, the site did not take it in time", "held", holdFor)
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// openStream asks for the stream, and again with credentials where the camera wants some.
func (c *Camera) openStream(ctx context.Context, client *http.Client) (*http.Response, error) {
	ask := func(auth string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(c.cfg.Address, "/")+alertStream, nil)
		if err != nil {
			return nil, err
		}
		if auth != "" {
			req.Header.Set("Authorization", auth)
		}
		return client.Do(req)
	}
	resp, err := ask("")
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusUnauthorized {
		auth := credentials(resp.Header.Values("WWW-Authenticate"), resp.Request.URL.Scheme == "https", c.cfg.Username, c.cfg.Password, http.MethodGet, resp.Request.URL.RequestURI())
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		if auth == "" || c.cfg.Username == "" {
			return nil, errors.New("the camera wants a name and a password: set username and password_file, and Digest at the camera or an https address")
		}
		if resp, err = ask(auth); err != nil {
			return nil, err
		}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("the camera answered %s", resp.Status), resp.Body.Close())
	}
	return resp, nil
}

// partReader cuts a stream into parts as tolerantly as cut: blank lines around boundaries, missing carriage returns
// and a part without a length do no harm.
type partReader struct {
	r    *bufio.Reader
	mark []byte
	max  int64
	// held is a boundary line that the end of a part without a length was found by.
	held bool
}

func newPartReader(r io.Reader, boundary string, largest int64) *partReader {
	return &partReader{r: bufio.NewReaderSize(r, 32<<10), mark: []byte("--" + strings.TrimPrefix(boundary, "--")), max: largest}
}

// next reads one part.
func (p *partReader) next() (picture, error) {
	for !p.held { // whatever lies before the boundary
		line, err := p.line()
		if err != nil {
			return picture{}, err
		}
		p.held = p.boundary(line)
	}
	p.held = false
	var head bytes.Buffer
	for begun := false; ; {
		line, err := p.line()
		if err != nil {
			return picture{}, err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			if begun {
				break
			}
			continue
		}
		begun = true
		if head.Write(line); head.Len() > maxPartHeader {
			return picture{}, errors.New("a part of the stream has no end to its header")
		}
	}
	head.WriteString("\r\n")
	h, _, ok := header(head.Bytes())
	if !ok {
		return picture{}, errors.New("a part of the stream has no header")
	}
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		if n > p.max {
			return picture{}, fmt.Errorf("a part of %d bytes, at most %d are taken", n, p.max)
		}
		b := make([]byte, n)
		_, err := io.ReadFull(p.r, b)
		return picture{partName(h), b}, err
	}
	var data bytes.Buffer
	for {
		line, err := p.line()
		if errors.Is(err, io.EOF) && data.Len() > 0 {
			return picture{partName(h), trimBreak(data.Bytes())}, nil
		}
		if err != nil {
			return picture{}, err
		}
		if p.held = p.boundary(line); p.held {
			return picture{partName(h), trimBreak(data.Bytes())}, nil
		}
		if data.Write(line); int64(data.Len()) > p.max {
			return picture{}, fmt.Errorf("a part of more than %d bytes", p.max)
		}
	}
}

// boundary tells whether a line begins a part.
func (p *partReader) boundary(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, p.mark)
	return ok && len(bytes.TrimRight(rest, "\r\n- ")) == 0
}

// line reads to the next line feed, or as much as the buffer holds: a picture has few line feeds. It is good until
// the next call.
func (p *partReader) line() ([]byte, error) {
	b, err := p.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || errors.Is(err, io.EOF) && len(b) > 0 {
		err = nil
	}
	return b, err
}
