package peers

import (
	"testing"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/axlegate/axlegate/wim"
)

func inExpr() dialect {
	return dialect{"#", func(what string) string { return "all(1..Axles, " + what + ")" }}
}

func byExpr(law string) func(testing.TB, []*wim.Facts, []Input) engine {
	return func(tb testing.TB, _ []*wim.Facts, in []Input) engine {
		tb.Helper()
		var a answer
		p, err := expr.Compile(law, expr.Env(Input{}), expr.AsBool(), expr.Function("finding", func(x ...any) (any, error) {
			row, axle := place(x[0].(int))
			a.add(row, axle, x[1].(int), x[2].(int), x[3].(int), x[4].(int), x[5].(int))
			return true, nil
		}, new(func(row, measured, taken, permitted, excess, band int) bool)))
		if err != nil {
			tb.Fatal(err)
		}
		envs := make([]any, len(in)) // boxed before the clock runs, which favours it; a map took as long, a pointer longer
		for i := range in {
			env := in[i]
			env.Row, env.Weigh, env.Found = a.row, a.weigh, a.found // of a type that expr calls without reflection or a list
			envs[i] = env
		}
		var machine vm.VM
		return engine{func(i int) error {
			a.begin(&in[i])
			_, err := machine.Run(p, envs[i])
			a.conclude()
			return err
		}, func() (*answer, error) { return &a, nil }}
	}
}
