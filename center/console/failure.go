package console

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/axlegate/axlegate/internal/web"
)

// fail answers with a status and a page in the visitor's language. A cause is logged, never shown.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, status int, cause error) {
	c.failAs(w, r, status, "failure."+strconv.Itoa(status), cause)
}

// failAs is fail with words of its own: those of key and key.advice.
func (c *Console) failAs(w http.ResponseWriter, r *http.Request, status int, key string, cause error) {
	if cause != nil {
		c.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "status", status, "error", cause)
	}
	words := c.wordsOf(r)
	s := c.shell(r, words.T(key)+" · "+c.title(words))
	s.Back = "/"
	c.page(w, r, status, "failure", web.Failure{Shell: s, Status: status, Heading: words.T(key), Advice: words.T(key + ".advice"), Back: words.T("failure.back")})
}

// page renders into memory first, so that a page that fails half way answers 500 and not half a page.
func (c *Console) page(w http.ResponseWriter, r *http.Request, status int, name string, view any) {
	var b bytes.Buffer
	if err := c.pages.ExecuteTemplate(&b, name, view); err != nil {
		c.log.ErrorContext(r.Context(), "page failed", "page", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		c.log.DebugContext(r.Context(), "visitor left", "error", err)
	}
}
