package peers

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// vehicles is how many are judged, the same by everybody.
const vehicles = 10_000

// The limits in the order in which every engine gives its excesses; 0 is none.
var limits = [...]string{"gross", "posted-gross", "height", "width", "length", "rated-load", "licence-gross", "towed-mass"} //nolint:gochecknoglobals // a table

// excesses is what a verdict comes to for comparison.
type excesses [len(limits)]int64

// Input is one vehicle as the peers get it: plain numbers, already looked up and added up, which favours them. Net is after the deduction.
type Input struct {
	Goods                                               bool
	Train                                               bool
	Axles, Drive                                        int
	Net, Posted                                         int
	Height, Width, Length                               int
	Kerb, Rated, LicenceGross, TractorKerb, TowedAtMost int
}

// fleet makes vehicles of every configuration around the limits, all inputs known.
func fleet() ([]*wim.Facts, []Input) {
	r := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // repeatable traffic
	facts, inputs := make([]*wim.Facts, vehicles), make([]Input, vehicles)
	at := wim.TimeOf(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	for i := range facts {
		n := []int{2, 3, 3, 4, 4, 5, 6, 6, 6, 6}[r.IntN(10)]
		train := n > 4 || n > 2 && r.IntN(2) == 0
		limit := map[int]int{2: 18000, 3: 26000, 4: 33000, 5: 43000, 6: 48000}[n]
		gross := wim.Kg(limit + r.IntN(limit/3) - limit/6)
		drive := 1 + r.IntN(2)
		f := &wim.Facts{
			Time: at, Clock: wim.ClockSynchronised, Purpose: wim.Enforcement, Road: wim.Road{Name: "G5", Class: "class-1"},
			Instrument: wim.Instrument{ID: "1", Certificate: &wim.Certificate{
				Number: "1", Scheme: "JJG 907", Class: "5", MassError: 50, AxleError: 80, ValidFrom: at - 1, ValidUntil: at + 1e15, Lanes: []wim.LaneID{1}, SpeedMin: 1, SpeedMax: 1000, Max: 200000,
			}},
			Vehicle: wim.Vehicle{
				Lane: 1, Speed: 500, Gross: gross, Configuration: wim.Rigid, Sure: true,
				Height: wim.Mm(3700 + r.IntN(500)), Width: wim.Mm(2400 + r.IntN(200)), Length: wim.Mm(9000 + r.IntN(10000)), SizeError: 20,
			},
		}
		if r.IntN(5) == 0 {
			f.Road.Posted.Gross = wim.Kg(limit - 3000)
		}
		for k := range n {
			f.Vehicle.Axles = append(f.Vehicle.Axles, wim.Axle{Index: uint8(k + 1), Load: gross / wim.Kg(n), Spacing: wim.Mm(k) * 1000})
		}
		kind := wim.Goods
		if r.IntN(20) == 0 {
			kind = wim.Bus
		}
		lead := &wim.Registration{Plate: "A", Kind: kind, Kerb: wim.Kg(limit / 4), DriveAxles: uint8(drive), Axles: uint8(n)}
		f.Units = []wim.Unit{{Plate: "A", Kind: kind, Registration: lead}}
		in := Input{Goods: kind == wim.Goods, Train: train, Axles: n, Drive: drive, Posted: int(f.Road.Posted.Gross), Kerb: limit / 4, TractorKerb: limit / 4}
		if train {
			f.Vehicle.Configuration = wim.Train
			lead.Towed, lead.Axles = wim.Kg(limit*3/4), 2
			trailer := &wim.Registration{Plate: "B", Kind: wim.Goods, Kerb: wim.Kg(limit / 8), Rated: wim.Kg(limit * 5 / 8)}
			f.Units = append(f.Units, wim.Unit{Plate: "B", Kind: wim.Goods, Registration: trailer})
			in.Kerb += limit / 8
			in.Rated, in.TowedAtMost = limit*5/8, limit*3/4
		} else {
			lead.Rated, lead.Gross = wim.Kg(limit*3/4), wim.Kg(limit)
			in.Rated, in.LicenceGross = limit*3/4, limit
		}
		left, _ := gross.Deduct(50)
		in.Net = int(left)
		in.Height, in.Width, in.Length = int(f.Vehicle.Height)-20, int(f.Vehicle.Width)-20, int(f.Vehicle.Length)-20
		facts[i], inputs[i] = f, in
	}
	return facts, inputs
}

// engine judges one vehicle; what it found is read apart, so that only judging is timed.
type engine struct {
	name  string
	judge func(i int) error
	read  func() (excesses, error)
}

func ours(tb testing.TB, facts []*wim.Facts) (engine, *rules.Set) {
	b, err := os.ReadFile("testdata/limits.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	s, err := rules.Load("limits.yaml", b)
	if err != nil {
		tb.Fatal(err)
	}
	at := map[string]int{"g2": 0, "g3r": 0, "g3t": 0, "g4r": 0, "g4t": 0, "g5t": 0, "g6t1": 0, "g6t2": 0}
	for i, l := range limits {
		at[l] = i
	}
	var v wim.Verdict
	return engine{"rules.Judge", func(i int) error {
		s.Judge(facts[i], &v)
		return nil
	}, func() (excesses, error) {
		var out excesses
		for k := range v.Findings {
			f := &v.Findings[k]
			out[at[f.Limit]] = int64(f.Excess) + int64(f.Size.Excess)
		}
		return out, nil
	}}, s
}

// The same law in expr and CEL, whose syntax agrees here but for the spelling of some words.
const exprLaw = `!Goods ? [0,0,0,0,0,0,0,0] : [
  max(0, Net - (Axles == 2 ? 18000 : Axles == 3 ? (Train ? 27000 : 25000) : Axles == 4 ? (Train ? 36000 : 31000) : Axles == 5 ? 43000 : Drive == 1 ? 46000 : 49000)),
  Posted > 0 ? max(0, Net - Posted) : 0,
  max(0, Height - 4000), max(0, Width - 2550), max(0, Length - 18100),
  max(0, Net - Kerb - Rated),
  !Train && LicenceGross > 0 ? max(0, Net - LicenceGross) : 0,
  Train ? max(0, Net - TractorKerb - TowedAtMost) : 0]`

func byExpr(tb testing.TB, in []Input) engine {
	p, err := expr.Compile(exprLaw, expr.Env(Input{}))
	if err != nil {
		tb.Fatal(err)
	}
	var machine vm.VM
	var v any
	return engine{"expr", func(i int) (err error) {
		v, err = machine.Run(p, in[i])
		return err
	}, func() (excesses, error) {
		var out excesses
		for k, x := range v.([]any) {
			out[k] = int64(x.(int))
		}
		return out, nil
	}}
}

const celLaw = `!goods ? [0,0,0,0,0,0,0,0] : [
  net - (axles == 2 ? 18000 : axles == 3 ? (train ? 27000 : 25000) : axles == 4 ? (train ? 36000 : 31000) : axles == 5 ? 43000 : drive == 1 ? 46000 : 49000),
  posted > 0 ? net - posted : 0,
  height - 4000, width - 2550, length - 18100,
  net - kerb - rated,
  !train && licence > 0 ? net - licence : 0,
  train ? net - tractor - towed : 0]`

// row is a vehicle as CEL reads it, without a map to be filled for each.
type row struct{ in *Input }

func (r row) ResolveName(name string) (any, bool) {
	switch name {
	case "goods":
		return r.in.Goods, true
	case "train":
		return r.in.Train, true
	case "axles":
		return int64(r.in.Axles), true
	case "drive":
		return int64(r.in.Drive), true
	case "net":
		return int64(r.in.Net), true
	case "posted":
		return int64(r.in.Posted), true
	case "height":
		return int64(r.in.Height), true
	case "width":
		return int64(r.in.Width), true
	case "length":
		return int64(r.in.Length), true
	case "kerb":
		return int64(r.in.Kerb), true
	case "rated":
		return int64(r.in.Rated), true
	case "licence":
		return int64(r.in.LicenceGross), true
	case "tractor":
		return int64(r.in.TractorKerb), true
	case "towed":
		return int64(r.in.TowedAtMost), true
	}
	return nil, false
}

func (row) Parent() cel.Activation { return nil }

func byCEL(tb testing.TB, in []Input) engine {
	opts := []cel.EnvOption{cel.Variable("goods", cel.BoolType), cel.Variable("train", cel.BoolType)}
	for _, n := range []string{"axles", "drive", "net", "posted", "height", "width", "length", "kerb", "rated", "licence", "tractor", "towed"} {
		opts = append(opts, cel.Variable(n, cel.IntType))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	ast, iss := env.Compile(celLaw)
	if iss.Err() != nil {
		tb.Fatal(iss.Err())
	}
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		tb.Fatal(err)
	}
	var v ref.Val
	return engine{"CEL", func(i int) (err error) {
		v, _, err = p.Eval(row{&in[i]})
		return err
	}, func() (excesses, error) {
		got, err := v.ConvertToNative(int64s)
		if err != nil {
			return excesses{}, err
		}
		var out excesses
		for k, x := range got.([]int64) {
			out[k] = max(x, 0) // CEL has no max of two numbers; it is taken here, which favours it
		}
		return out, nil
	}}
}

const regoLaw = `package law

limit := 18000 if input.axles == 2
limit := 27000 if { input.axles == 3; input.train }
limit := 25000 if { input.axles == 3; not input.train }
limit := 36000 if { input.axles == 4; input.train }
limit := 31000 if { input.axles == 4; not input.train }
limit := 43000 if input.axles == 5
limit := 46000 if { input.axles == 6; input.drive == 1 }
limit := 49000 if { input.axles == 6; input.drive > 1 }

default posted := 0
posted := input.net - input.posted if input.posted > 0

default licence := 0
licence := input.net - input.licence if { not input.train; input.licence > 0 }

default towed := 0
towed := (input.net - input.tractor) - input.towed if input.train

default verdict := [0, 0, 0, 0, 0, 0, 0, 0]
verdict := [input.net - limit, posted, input.height - 4000, input.width - 2550, input.length - 18100, (input.net - input.kerb) - input.rated, licence, towed] if input.goods
`

func byOPA(tb testing.TB, in []Input) engine {
	q, err := rego.New(rego.Query("data.law.verdict"), rego.Module("law.rego", regoLaw)).PrepareForEval(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	parsed := values(tb, in) // its own form of the input, made before the clock runs, which favours it
	var rs rego.ResultSet
	return engine{"OPA", func(i int) (err error) {
		rs, err = q.Eval(context.Background(), rego.EvalParsedInput(parsed[i]))
		return err
	}, func() (excesses, error) {
		if len(rs) != 1 {
			return excesses{}, fmt.Errorf("%d results", len(rs))
		}
		var out excesses
		for k, x := range rs[0].Expressions[0].Value.([]any) {
			n, err := number(x)
			if err != nil {
				return out, err
			}
			out[k] = max(n, 0)
		}
		return out, nil
	}}
}

func engines(tb testing.TB) []engine {
	facts, in := fleet()
	first, _ := ours(tb, facts)
	return []engine{first, byExpr(tb, in), byCEL(tb, in), byOPA(tb, in)}
}

func found(t *testing.T, e *engine, i int) excesses {
	t.Helper()
	if err := e.judge(i); err != nil {
		t.Fatal(e.name, err)
	}
	out, err := e.read()
	if err != nil {
		t.Fatal(e.name, err)
	}
	return out
}

func TestEveryEngineFindsTheSame(t *testing.T) {
	all := engines(t)
	over := 0
	for i := range vehicles {
		want := found(t, &all[0], i)
		if want != (excesses{}) {
			over++
		}
		for _, e := range all[1:] {
			if got := found(t, &e, i); got != want {
				t.Fatalf("vehicle %d: %s finds %v, rules.Judge %v", i, e.name, got, want)
			}
		}
	}
	if over < vehicles/4 || over > vehicles*3/4 {
		t.Errorf("%d of %d exceed a limit: too one-sided to tell anything", over, vehicles)
	}
	t.Logf("%d vehicles, %d of them over a limit, judged alike by %d engines", vehicles, over, len(all))
}

// again is how often a vehicle is judged in a row. A site judges what it has just put together, so the vehicle is in the
// processor's cache; ten thousand vehicles in turn would measure memory.
const again = 16

// BenchmarkPeers judges the same vehicles by the same limits with each engine in one run. ratio is to rules.Judge.
func BenchmarkPeers(b *testing.B) {
	var base float64
	for _, e := range engines(b) {
		b.Run(e.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := e.judge(i / again % vehicles); err != nil {
					b.Fatal(err)
				}
				i++
			}
			each := float64(b.Elapsed()) / float64(b.N)
			if base == 0 {
				base = each
			}
			b.ReportMetric(each/base, "ratio")
		})
	}
}
