package console

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

// send uploads a file as the page's form does.
func (b *browser) upload(t *testing.T, kind, name, text string) answer {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for k, v := range map[string]string{"kind": kind, "name": name, "version": "1"} {
		if err := m.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if text != "" {
		f, err := m.CreateFormFile("file", "x")
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	r := b.request(http.MethodPost, "/sent/parcels", nil)
	r2, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL.String(), &body)
	if err != nil {
		t.Fatal(err)
	}
	r2.Header = r.Header.Clone()
	r2.Header.Set("Content-Type", m.FormDataContentType())
	return b.do(r2)
}

func TestWhatIsSentDownIsCheckedKeptAndSent(t *testing.T) {
	s := newOffice(t)
	b := s.as("admin")
	b.get("/sent").wants(http.StatusOK).says("main", "Nothing is kept yet")
	for name, c := range map[string]struct {
		kind, name, text, says string
		status                 int
	}{
		"no file":              {"rules", "cn", "", "Choose a file", http.StatusUnprocessableEntity},
		"one that cannot load": {"rules", "cn", "nonsense", "line 1", http.StatusUnprocessableEntity},
		"no name":              {"rules", "", "good", "needs a name", http.StatusUnprocessableEntity},
		"software":             {"software", "x", "good", "cannot be sent", http.StatusUnprocessableEntity},
	} {
		a := b.upload(t, c.kind, c.name, c.text)
		if a.status != c.status {
			t.Errorf("%s: status %d", name, a.status)
		}
		a.says(".notice", c.says)
	}
	if len(s.store.office.parcels) != 0 {
		t.Fatal("what does not hold is kept")
	}
	b.upload(t, "rules", hostile, "good").wants(http.StatusSeeOther)
	page := b.get("/sent").wants(http.StatusOK)
	digest := wim.DigestOf([]byte("good")).String()
	page.one("[data-parcel=" + digest + "]")
	if len(page.all("main script")) != 0 {
		t.Error("a name became part of the page")
	}
	for name, c := range map[string]struct {
		form url.Values
		want int
	}{
		"to nobody":            {url.Values{"parcel": {digest}}, http.StatusBadRequest},
		"no parcel":            {url.Values{"to": {"region "}}, http.StatusBadRequest},
		"one that there isn't": {url.Values{"parcel": {wim.Digest{1}.String()}, "to": {"region "}}, http.StatusNotFound},
		"a time that is none":  {url.Values{"parcel": {digest}, "to": {"region "}, "from": {"tomorrow"}}, http.StatusUnprocessableEntity},
		"to all, later":        {url.Values{"parcel": {digest}, "to": {"region "}, "from": {"2030-01-02T03:04"}}, http.StatusSeeOther},
	} {
		if a := b.post("/sent/assign", c.form); a.status != c.want {
			t.Errorf("%s: status %d, want %d", name, a.status, c.want)
		}
	}
	b.post("/sent/assign", url.Values{"parcel": {digest}, "to": {"site alarmed"}, "withdraw": {"1"}}).wants(http.StatusSeeOther)
	got := s.store.office.assignments
	if len(got) != 2 || got[1].From == 0 || got[1].Site != "" || !got[0].Withdrawn || got[0].Site != "alarmed" {
		t.Errorf("assigned %+v", got)
	}
	s.store.mu.Lock()
	s.store.office.deliveries = []center.Delivery{{Wish: center.Wish{Parcel: s.store.office.parcels[0]}, State: center.DeliveryRefused, Since: 1, Reason: "line 7"}}
	s.store.mu.Unlock()
	b.get("/sent").wants(http.StatusOK).says("main", "line 7")
}

// checkParcel refuses one text.
func checkParcel(_ center.Parcel, b []byte) error {
	if strings.Contains(string(b), "nonsense") {
		return errors.New("line 1: nonsense")
	}
	return nil
}
