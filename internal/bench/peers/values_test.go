package peers

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

var int64s = reflect.TypeFor[[]int64]() //nolint:gochecknoglobals // a type

// values gives the vehicles in OPA's own form.
func values(tb testing.TB, in []Input) []ast.Value {
	tb.Helper()
	out := make([]ast.Value, len(in))
	for i, x := range in {
		v, err := ast.InterfaceToValue(map[string]any{
			"goods": x.Goods, "train": x.Train, "axles": x.Axles, "drive": x.Drive, "net": x.Net, "posted": x.Posted, "height": x.Height, "width": x.Width, "length": x.Length,
			"kerb": x.Kerb, "rated": x.Rated, "licence": x.LicenceGross, "tractor": x.TractorKerb, "towed": x.TowedAtMost,
		})
		if err != nil {
			tb.Fatal(err)
		}
		out[i] = v
	}
	return out
}

func number(v any) (int64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%T is no number", v)
	}
	return n.Int64()
}
