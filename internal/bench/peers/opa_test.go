package peers

import (
	"fmt"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/axlegate/axlegate/wim"
)

func byOPA(tb testing.TB, _ []*wim.Facts, in []Input) engine {
	tb.Helper()
	ctx := tb.Context()
	store := inmem.New()
	q, err := rego.New(rego.Query("data.law.verdict"), rego.Module("law.rego", regoLaw), rego.Store(store)).PrepareForEval(ctx) // evaluated in part beforehand it was no faster: all that counts is input
	if err != nil {
		tb.Fatal(err)
	}
	read, err := store.NewTransaction(ctx) // one for all: nothing is written
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Abort(ctx, read) })
	parsed := make([]ast.Value, len(in)) // its own values, made before the clock runs, which favours it
	for i := range in {
		m := map[string]any{}
		for k, x := range in[i].values() {
			m[names[k]] = x
		}
		if parsed[i], err = ast.InterfaceToValue(m); err != nil {
			tb.Fatal(err)
		}
	}
	raw := rego.EvalGenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t.Value, nil }) // no conversion to JSON
	var rs rego.ResultSet
	last := 0
	return engine{func(i int) (err error) {
		last = i
		rs, err = q.Eval(ctx, rego.EvalParsedInput(parsed[i]), rego.EvalTransaction(read), raw, rego.EvalSortSets(false))
		return err
	}, func() (*answer, error) {
		a := answer{of: &in[last]}
		if len(rs) != 1 {
			return nil, fmt.Errorf("%d results", len(rs))
		}
		if err := a.lists(rs[0].Expressions[0].Value); err != nil {
			return nil, err
		}
		a.conclude()
		return &a, nil
	}}
}

// lists reads lists of findings.
func (a *answer) lists(v any) error {
	all, ok := v.(*ast.Array)
	if !ok {
		return fmt.Errorf("%T is no list of findings", v)
	}
	return all.Iter(func(some *ast.Term) error {
		list, ok := some.Value.(*ast.Array)
		if !ok {
			return fmt.Errorf("%v is no list of findings", some)
		}
		return list.Iter(func(t *ast.Term) error {
			f, ok := t.Value.(*ast.Array)
			if !ok || f.Len() != 7 {
				return fmt.Errorf("%v is no finding", t)
			}
			var x [7]int
			for k := range x {
				n, ok := f.Elem(k).Value.(ast.Number)
				i, whole := n.Int()
				if !ok || !whole {
					return fmt.Errorf("%v is no whole number", f.Elem(k))
				}
				x[k] = i
			}
			a.add(x[0], x[1], x[2], x[3], x[4], x[5], x[6])
			return nil
		})
	})
}
