package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/axlegate/axlegate/drivers/record"
)

func TestDecodeRecordWritesVehiclesAndNamesWhatItRefuses(t *testing.T) {
	page, err := loadPage("record-open", record.LoadPage)
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"type":"vehicle","id":"1","lane":"1","time":"2026-03-01T00:15:41Z","gross_kg":18040,"axle_count":2,"validity":"ok","direction":"reverse","axles":[{"load_kg":6000},{"load_kg":12000,"spacing_mm":5200}]}`
	for _, c := range []struct {
		name, in, out, errs string
		fails               bool
	}{
		{"a vehicle", good, `"axle_sum_kg":18000,"flags":["reverse"]`, "", false},
		{"a retraction", `{"type":"retraction","id":"1","lane":"1"}`, `{"kind":"retraction","lane":"1"`, "", false},
		{"nothing to report", `{"type":"alive"}`, "", "", false},
		{"a code that nobody named, between others", "[" + good + "," + strings.Replace(good, `"ok"`, `"odd"`, 1) + "]", `"id":"1"`, `record 1: validity is "odd"`, true},
		{"what is no JSON", "<x/>", "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			err := decodeRecords(page, strings.NewReader(c.in), &out, &errs)
			if (err != nil) != c.fails || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errs) || c.out == "" && out.Len() > 0 {
				t.Errorf("error %v, out %q, errors %q", err, out.String(), errs.String())
			}
		})
	}
	if _, err := loadPage("record-none", record.LoadPage); err == nil {
		t.Error("a page that is not shipped was found")
	}
}
