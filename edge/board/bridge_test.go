package board

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/wim"
)

// fakeBridge shows and answers what the test says.
type fakeBridge struct {
	mu    sync.Mutex
	shown BridgeShown
	why   string
	err   error
	got   []BridgeWeighing
}

func (*fakeBridge) Name() string { return "bridge-1" }

func (b *fakeBridge) Shown() BridgeShown {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shown
}

func (b *fakeBridge) Weigh(_ context.Context, w BridgeWeighing) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.why == "" && b.err == nil {
		b.got = append(b.got, w)
		b.shown.Last = &wim.Transaction{Plate: w.Plate, Gross: 48_260, By: w.By}
	}
	return b.why, b.err
}

func TestStaffWeighAtRestOnTheSitesPage(t *testing.T) {
	v := newVisitor(t)
	v.ask(http.MethodGet, "/bridges/bridge-1", nil, http.StatusSeeOther) // nobody is signed in
	v.ask(http.MethodPost, "/sign-in", url.Values{"login": {"chen"}, "password": {"long enough"}}, http.StatusSeeOther)
	b := v.site.bridge
	b.shown = BridgeShown{Gross: 48_260, Known: true}
	has := func(body string, texts ...string) {
		t.Helper()
		for _, x := range texts {
			if !strings.Contains(body, x) {
				t.Errorf("%q is missing in\n%.3000s", x, body)
			}
		}
	}
	has(v.ask(http.MethodGet, "/", nil, http.StatusOK, "Accept-Language", "en"), "Static scale bridge-1", "48.26", "can be weighed")
	has(v.ask(http.MethodGet, "/bridges/bridge-1", nil, http.StatusOK, "Accept-Language", "zh"), "静态秤 bridge-1", "已静止，可取重", "取重")
	v.ask(http.MethodGet, "/bridges/bridge-9", nil, http.StatusNotFound)
	v.ask(http.MethodPost, "/bridges/bridge-9/weighings", url.Values{"plate": {"A1"}}, http.StatusNotFound)

	has(v.ask(http.MethodPost, "/bridges/bridge-1/weighings", url.Values{"plate": {" · "}, "trailer": {"川B12挂"}}, http.StatusUnprocessableEntity, "Accept-Language", "en"), "The plate is needed", "川B12挂")
	has(v.ask(http.MethodPost, "/bridges/bridge-1/weighings", url.Values{"plate": {strings.Repeat("川", 9)}}, http.StatusUnprocessableEntity, "Accept-Language", "en"), "The plate is needed")
	for why, text := range map[string]string{"moving": "not at rest yet", "twice": "leave the scale first", "silent": "not reached", "empty": "empty", "no-weight": "no weight"} {
		b.why = why
		has(v.ask(http.MethodPost, "/bridges/bridge-1/weighings", url.Values{"plate": {"川A12345"}}, http.StatusConflict, "Accept-Language", "en"), text, "川A12345")
	}
	b.why, b.err = "", errors.New("the disk")
	has(v.ask(http.MethodPost, "/bridges/bridge-1/weighings", url.Values{"plate": {"川A12345"}}, http.StatusServiceUnavailable, "Accept-Language", "en"), "cannot write")
	b.err = nil
	if len(b.got) != 0 {
		t.Fatalf("%+v were weighed", b.got)
	}
	v.ask(http.MethodPost, "/bridges/bridge-1/weighings", url.Values{"plate": {"川ａ·12345"}, "trailer": {"川b12挂"}, "color": {"yellow"}}, http.StatusSeeOther)
	v.ask(http.MethodPost, "/bridges/bridge-1/weighings", url.Values{"plate": {"粤B1"}, "color": {hostile}}, http.StatusSeeOther)
	want := []BridgeWeighing{{Plate: "川A12345", Trailer: "川B12挂", Color: wim.Yellow, By: "chen"}, {Plate: "粤B1", By: "chen"}}
	if len(b.got) != 2 || b.got[0] != want[0] || b.got[1] != want[1] {
		t.Errorf("%+v, want %+v", b.got, want)
	}
	has(v.ask(http.MethodGet, "/bridges/bridge-1?saved", nil, http.StatusOK, "Accept-Language", "en"), "Weighed and sealed", "粤B1")
	b.shown = BridgeShown{Why: "silent"}
	if body := v.ask(http.MethodGet, "/bridges/bridge-1", nil, http.StatusOK); strings.Contains(body, "0.00") {
		t.Error("a weight is shown though the indicator is silent")
	}
}

func TestWhatContactsTellStandsOnTheFirstPage(t *testing.T) {
	v := newVisitor(t)
	v.ask(http.MethodPost, "/sign-in", url.Values{"login": {"chen"}, "password": {"long enough"}}, http.StatusSeeOther)
	for _, k := range wim.EventKinds() {
		v.site.health.Around = append(v.site.health.Around, edge.Around{Device: "contact-" + string(k), What: k, Lane: 2})
	}
	for lang, want := range map[string][]string{
		"en": {"the cabinet stands open (contact-door)", "lane 2: snow, ice or water on the scale", "the mains are gone", "nearly empty", "glass is dirty"},
		"zh": {"机柜门开启", "称重无效", "市电中断", "电池将耗尽", "镜面脏污"},
	} {
		body := v.ask(http.MethodGet, "/", nil, http.StatusOK, "Accept-Language", lang)
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: %q is missing", lang, w)
			}
		}
	}
}
