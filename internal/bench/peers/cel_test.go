package peers

import (
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/axlegate/axlegate/wim"
)

func inCEL() dialect {
	return dialect{"n", func(what string) string { return "Numbers.all(n, " + what + ")" }}
}

// names are the variables, bools first and lists last.
var names = [...]string{
	"Goods", "Train", "Axles", "Drive", "Gross", "Taken", "Net", "Posted", "PostedAxle", "Height", "Width", "Length", "SizeTaken",
	"HeightNet", "WidthNet", "LengthNet",
	"Cargo", "CargoNet", "Rated", "LicenceGross", "Towed", "TowedNet", "TowedAtMost", "Loads", "LoadsTaken", "LoadsNet", "Numbers",
}

const lists = 4 // at the end of names

func (in *Input) values() [len(names)]any {
	numbers := make([]int, in.Axles)
	for i := range numbers {
		numbers[i] = i + 1
	}
	return [...]any{
		in.Goods, in.Train, in.Axles, in.Drive, in.Gross, in.Taken, in.Net, in.Posted, in.PostedAxle, in.Height, in.Width, in.Length, in.SizeTaken,
		in.HeightNet, in.WidthNet, in.LengthNet,
		in.Cargo, in.CargoNet, in.Rated, in.LicenceGross, in.Towed, in.TowedNet, in.TowedAtMost, in.Loads, in.LoadsTaken, in.LoadsNet, numbers,
	}
}

// row is a vehicle as CEL reads it: its own values, made before the clock runs, without a map, which favours it. It has what
// CEL's law asks for.
type row struct {
	Goods, Train, Axles, Drive, Net, Posted, PostedAxle, HeightNet, WidthNet, LengthNet ref.Val
	CargoNet, Rated, LicenceGross, TowedNet, TowedAtMost, LoadsNet, Numbers             ref.Val
}

func rowOf(in *Input) row {
	v := map[string]ref.Val{}
	for k, x := range in.values() {
		v[names[k]] = types.DefaultTypeAdapter.NativeToValue(x)
		if list, ok := x.([]int); ok {
			all := make([]ref.Val, len(list))
			for i, n := range list {
				all[i] = types.Int(n)
			}
			v[names[k]] = types.NewRefValList(types.DefaultTypeAdapter, all)
		}
	}
	return row{
		v["Goods"], v["Train"], v["Axles"], v["Drive"], v["Net"], v["Posted"], v["PostedAxle"], v["HeightNet"], v["WidthNet"], v["LengthNet"],
		v["CargoNet"], v["Rated"], v["LicenceGross"], v["TowedNet"], v["TowedAtMost"], v["LoadsNet"], v["Numbers"],
	}
}

func (r *row) ResolveName(name string) (any, bool) {
	switch name {
	case "Goods":
		return r.Goods, true
	case "Train":
		return r.Train, true
	case "Axles":
		return r.Axles, true
	case "Drive":
		return r.Drive, true
	case "Net":
		return r.Net, true
	case "Posted":
		return r.Posted, true
	case "PostedAxle":
		return r.PostedAxle, true
	case "HeightNet":
		return r.HeightNet, true
	case "WidthNet":
		return r.WidthNet, true
	case "LengthNet":
		return r.LengthNet, true
	case "CargoNet":
		return r.CargoNet, true
	case "Rated":
		return r.Rated, true
	case "LicenceGross":
		return r.LicenceGross, true
	case "TowedNet":
		return r.TowedNet, true
	case "TowedAtMost":
		return r.TowedAtMost, true
	case "LoadsNet":
		return r.LoadsNet, true
	case "Numbers":
		return r.Numbers, true
	}
	return nil, false
}

func (*row) Parent() cel.Activation { return nil }

func byCEL(law string) func(testing.TB, []*wim.Facts, []Input) engine {
	return func(tb testing.TB, _ []*wim.Facts, in []Input) engine {
		tb.Helper()
		var a answer
		var opts []cel.EnvOption
		for name, call := range map[string]func(x, y int) bool{"Row": a.row, "Weigh": a.weigh, "Found": a.found} {
			opts = append(opts, cel.Function(name, cel.Overload(name+"_ints", []*cel.Type{cel.IntType, cel.IntType}, cel.BoolType, cel.BinaryBinding(func(x, y ref.Val) ref.Val {
				return types.Bool(call(int(x.(types.Int)), int(y.(types.Int))))
			}))))
		}
		for i, n := range names {
			kind := cel.IntType
			switch {
			case i < 2:
				kind = cel.BoolType
			case i >= len(names)-lists:
				kind = cel.ListType(cel.IntType)
			}
			opts = append(opts, cel.Variable(n, kind))
		}
		env, err := cel.NewEnv(opts...)
		if err != nil {
			tb.Fatal(err)
		}
		compiled, iss := env.Compile(law)
		if iss.Err() != nil {
			tb.Fatal(iss.Err())
		}
		p, err := env.Program(compiled, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			tb.Fatal(err)
		}
		rows := make([]row, len(in))
		for i := range in {
			rows[i] = rowOf(&in[i])
		}
		return engine{func(i int) error {
			a.begin(&in[i])
			_, _, err := p.Eval(&rows[i])
			a.conclude()
			return err
		}, func() (*answer, error) { return &a, nil }}
	}
}
