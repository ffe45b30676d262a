package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/configs"
	"github.com/axlegate/axlegate/internal/daemon"
	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

func speaking(t *testing.T, lang string) *law {
	t.Helper()
	l, err := newLaw(lang)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func set(t *testing.T, name string) *rules.Set {
	t.Helper()
	s, err := daemon.RuleSet(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryShippedSetIsShownWholeInBothLanguages(t *testing.T) {
	for _, name := range configs.RuleNames() {
		for _, lang := range []string{"zh", "en"} {
			var out bytes.Buffer
			s := set(t, name)
			if err := speaking(t, lang).show(&out, s); err != nil {
				t.Fatal(err)
			}
			for _, c := range s.File().Competences {
				for i := range c.Limits {
					for _, r := range c.Limits[i].Cases() {
						if !strings.Contains(out.String(), r.Source) || r.Value != "" && !strings.Contains(out.String(), r.Value) {
							t.Errorf("%s in %s lacks %s", name, lang, r.ID)
						}
					}
				}
			}
		}
	}
}

// sixAxles reads the example that docs/rules.md speaks of.
func sixAxles(t *testing.T) *wim.Facts {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "six-axle-52t.json"))
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := factsIn(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAVehicleIsExplainedWithEveryLimitThatWasConsidered(t *testing.T) {
	s, f := set(t, "cn"), sixAxles(t)
	e := s.Explain(f)
	var v wim.Verdict
	if s.Judge(f, &v); !v.Equal(&e.Verdict) {
		t.Errorf("explained %+v, judged %+v", e.Verdict, v)
	}
	for lang, want := range map[string][]string{
		"en": {"Over limit, Evidence", "49 000", "+400 (0.8 %)", "Order 62 Art. 3(8)", "if no air suspension", "no: drive axles", "one act has one fine", "Overloaded"},
		"zh": {"超限，可作证据", "49 000", "+400 (0.8%)", "第三条第（八）项", "按非空气悬架计", "不适用： 驱动轴数", "同一行为只处一次罚款", "超载"},
	} {
		var out bytes.Buffer
		if err := speaking(t, lang).explain(&out, s, f, e); err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("\u202f", " ", "\u00a0", " ", "\u2009", " ").Replace(out.String())
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("in %s %q is missing:\n%s", lang, w, text)
			}
		}
	}
}

func TestADifferenceNamesForWhomItIs(t *testing.T) {
	text, err := configs.Rules("cn")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "new.yaml")
	changed := strings.NewReplacer("drive_axles: 2-8, value: 49000 kg", "drive_axles: 2-8, value: 48000 kg", "value: 4.0 m", "value: 4.2 m").Replace(string(text))
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	all := speaking(t, "en").diff(set(t, "cn").File(), set(t, path).File())
	if len(all) != 2 || all[0].Case != "order-62-3-8-train" || all[0].Old != "49000 kg" || all[0].New != "48000 kg" ||
		all[0].For != "gross mass: 6+ axles, train, 2-8 driven" || all[1].New != "4.2 m" {
		t.Errorf("%+v", all)
	}
	if same := speaking(t, "en").diff(set(t, "cn").File(), set(t, "cn").File()); len(same) != 0 {
		t.Errorf("from a set to itself: %+v", same)
	}
	if b, err := json.Marshal(all); err != nil || !bytes.Contains(b, []byte(`"what":"permitted"`)) {
		t.Errorf("%s %v", b, err)
	}
}

func TestAMistakenSetIsNamedWithItsLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(path, []byte("format: 2\nid: x\nzoen: \"1\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (rulesCheck{Files: []string{path}}).Run(); err == nil || !strings.Contains(err.Error(), path+":3:1") || !strings.Contains(err.Error(), `"zoen"`) {
		t.Error(err)
	}
}

func TestATableOfChineseStandsStraight(t *testing.T) {
	var out bytes.Buffer
	s := sheet{head: []string{"名称", "b"}}
	s.add("a", "1")
	s.add("二轴货车", "2")
	if err := s.write(&out, ""); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n")[2:] {
		if at := strings.LastIndex(line, "  "); columns(line[:at+2]) != 10 {
			t.Errorf("%q: the second column begins at %d", line, columns(line[:at+2]))
		}
	}
}
