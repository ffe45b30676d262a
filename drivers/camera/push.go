package camera

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// Bounds of a multipart push.
const (
	maxParts      = 16
	maxPartHeader = 4 << 10
)

// picture is one part that is not the event.
type picture struct {
	name string
	data []byte
}

// parts is a push taken apart: the first XML and the first JSON document and all that is neither.
type parts struct {
	xml, json []byte
	pictures  []picture
}

var errNoEvent = refusal{http.StatusBadRequest, errors.New("the push has no event document")}

// split takes a push apart. Which part is what is told by its first bytes: names and even content types vary
// with firmware. Its errors are refusals.
func split(contentType string, body []byte) (p parts, err error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return p, refuse("content type %q: %w", contentType, err)
	}
	switch {
	case strings.HasPrefix(media, "multipart/"):
		all, err := cut(body, params["boundary"])
		if err != nil {
			return p, refusal{http.StatusBadRequest, err}
		}
		for _, part := range all {
			p.take(part)
		}
	case strings.HasSuffix(media, "/xml"), strings.HasSuffix(media, "/json"):
		p.take(picture{data: body})
	default:
		return p, refusal{http.StatusUnsupportedMediaType, fmt.Errorf("content type %s, want multipart/form-data, application/xml or application/json", media)}
	}
	if p.xml == nil && p.json == nil {
		return p, errNoEvent
	}
	return p, nil
}

func (p *parts) take(part picture) {
	first := bytes.TrimLeft(part.data, " \r\n\t\ufeff")
	switch {
	case len(first) == 0:
	case first[0] == '<':
		if p.xml == nil {
			p.xml = first
		}
	case first[0] == '{' || first[0] == '[':
		if p.json == nil {
			p.json = first
		}
	default:
		p.pictures = append(p.pictures, part)
	}
}

// splitJSON takes a push apart whose event is a JSON document.
func splitJSON(contentType string, body []byte) (doc []byte, pictures []picture, err error) {
	p, err := split(contentType, body)
	if err != nil {
		return nil, nil, err
	}
	if p.json == nil {
		return nil, nil, refusal{http.StatusUnsupportedMediaType, errors.New("this format's event is JSON, and the push has none")}
	}
	return p.json, p.pictures, nil
}

// MediaType guesses the media type of a push that was saved without its header, by its first bytes; empty where
// it looks like none.
func MediaType(body []byte) string {
	first := bytes.TrimLeft(body, " \r\n\t\ufeff")
	switch {
	case len(first) == 0:
		return ""
	case first[0] == '<':
		return "application/xml"
	case first[0] == '{' || first[0] == '[':
		return "application/json"
	case bytes.HasPrefix(first, []byte("--")):
		line, _, _ := bytes.Cut(first[2:], []byte("\n"))
		return mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": string(bytes.TrimRight(line, "\r "))})
	}
	return ""
}

// cut takes multipart apart more tolerantly than mime/multipart: blank lines around boundaries and a missing
// carriage return occur, and a part with a Content-Length is cut by it, so that a boundary inside a picture
// does no harm and a last boundary that is missing costs nothing that came whole.
func cut(body []byte, boundary string) ([]picture, error) {
	if boundary == "" || len(boundary) > 70 {
		return nil, errors.New("multipart without a usable boundary")
	}
	mark := []byte("--" + boundary)
	var parts []picture
	at := bytes.Index(body, mark)
	if at < 0 {
		return nil, errors.New("no boundary in the push")
	}
	rest := body[at+len(mark):]
	for {
		if bytes.HasPrefix(rest, []byte("--")) {
			return parts, nil
		}
		if len(parts) == maxParts {
			return nil, fmt.Errorf("more than %d parts", maxParts)
		}
		rest = bytes.TrimLeft(rest, "\r\n")
		head, data, ok := header(rest)
		if !ok {
			return nil, errors.New("a part without an end to its header")
		}
		next := -1
		if n, err := strconv.Atoi(head.Get("Content-Length")); err == nil && n >= 0 && n <= len(data) {
			i := bytes.Index(data[n:], mark)
			if i < 0 && len(bytes.TrimSpace(data[n:])) == 0 {
				return append(parts, picture{partName(head), data[:n]}), nil
			}
			if i >= 0 && len(bytes.TrimSpace(data[n:n+i])) == 0 {
				next = n + i
				parts = append(parts, picture{partName(head), data[:n]})
			}
		}
		if next < 0 {
			if next = bytes.Index(data, mark); next < 0 {
				return nil, errors.New("the last part is cut off")
			}
			parts = append(parts, picture{partName(head), trimBreak(data[:next])})
		}
		rest = data[next+len(mark):]
	}
}

// header reads the header lines of a part and returns what follows the empty line.
func header(b []byte) (textproto.MIMEHeader, []byte, bool) {
	h := textproto.MIMEHeader{}
	for used := 0; used < maxPartHeader; {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return nil, nil, false
		}
		line := strings.TrimRight(string(b[:i]), "\r")
		b = b[i+1:]
		used += i + 1
		if line == "" {
			return h, b, true
		}
		if k, v, ok := strings.Cut(line, ":"); ok {
			h.Add(textproto.TrimString(k), textproto.TrimString(v))
		}
	}
	return nil, nil, false
}

func partName(h textproto.MIMEHeader) string {
	_, p, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return p["name"] + " " + p["filename"]
}

// trimBreak takes off the one line break that belongs to the boundary.
func trimBreak(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
