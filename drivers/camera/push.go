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

var errJSON = errors.New("this camera sends JSON; set its notification to XML")

// split takes a push apart. Which part is what is told by its first bytes: names and even content types vary
// with firmware.
func split(contentType string, body []byte) (doc []byte, pictures []picture, status int, err error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, nil, http.StatusBadRequest, fmt.Errorf("content type %q: %w", contentType, err)
	}
	switch {
	case strings.HasPrefix(media, "multipart/"):
		parts, err := cut(body, params["boundary"])
		if err != nil {
			return nil, nil, http.StatusBadRequest, err
		}
		json := false
		for _, p := range parts {
			switch first := bytes.TrimLeft(p.data, " \r\n\t\ufeff"); {
			case len(first) > 0 && first[0] == '<':
				if doc == nil {
					doc = first
				}
			case len(first) > 0 && first[0] == '{':
				json = true
			case len(p.data) > 0:
				pictures = append(pictures, p)
			}
		}
		if doc == nil && json {
			return nil, nil, http.StatusUnsupportedMediaType, errJSON
		}
	case strings.HasSuffix(media, "/xml"):
		doc = body
	case strings.HasSuffix(media, "/json"):
		return nil, nil, http.StatusUnsupportedMediaType, errJSON
	default:
		return nil, nil, http.StatusUnsupportedMediaType, fmt.Errorf("content type %s, want multipart/form-data or application/xml", media)
	}
	if len(bytes.TrimSpace(doc)) == 0 {
		return nil, nil, http.StatusBadRequest, errors.New("the push has no event document")
	}
	return doc, pictures, 0, nil
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
