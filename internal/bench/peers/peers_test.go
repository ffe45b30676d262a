package peers

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/axlegate/axlegate/rules"
	"github.com/axlegate/axlegate/wim"
)

// vehicles is how many are judged, the same by everybody.
const vehicles = 10_000

// The limits in the order in which every engine gives its excesses; 0 is none.
var limits = [...]string{"gross", "posted-gross", "posted-axle", "height", "width", "length", "rated-load", "licence-gross", "towed-mass"}

// excesses is what a verdict comes to for comparison.
type excesses [len(limits)]int64

// The first so many limits are the road administration's, the others the traffic police's.
const roads = 6

// finding is what a verdict comes to for comparison: the excess over each limit, and what each authority is told.
type finding struct {
	over         excesses
	road, police wim.Outcome
}

// told adds the outcomes to what a peer found: above a limit after the deduction is exceeded. It is not timed.
func told(in *Input, over excesses) finding {
	f := finding{over, wim.NotApplicable, wim.NotApplicable}
	if !in.Goods {
		return f
	}
	f.road, f.police = wim.Compliant, wim.Compliant
	for k, x := range over {
		switch {
		case x > 0 && k < roads:
			f.road = wim.Exceeded
		case x > 0:
			f.police = wim.Exceeded
		}
	}
	return f
}

// Input is one vehicle as the peers get it: plain numbers, already looked up and added up, which favours them. Net and
// NetAxle, the heaviest, are after the deduction.
type Input struct {
	Goods                                               bool
	Train                                               bool
	Axles, Drive                                        int
	Net, NetAxle, Posted, PostedAxle                    int
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
		if r.IntN(5) == 0 {
			f.Road.Posted.Axle = wim.Kg(limit / n)
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
		in := Input{Goods: kind == wim.Goods, Train: train, Axles: n, Drive: drive, Posted: int(f.Road.Posted.Gross), PostedAxle: int(f.Road.Posted.Axle), Kerb: limit / 4, TractorKerb: limit / 4}
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
		left, _ = (gross / wim.Kg(n)).Deduct(80)
		in.NetAxle = int(left)
		in.Height, in.Width, in.Length = int(f.Vehicle.Height)-20, int(f.Vehicle.Width)-20, int(f.Vehicle.Length)-20
		facts[i], inputs[i] = f, in
	}
	return facts, inputs
}

// engine judges one vehicle; what it found is read apart, so that only judging is timed.
type engine struct {
	name  string
	judge func(i int) error
	read  func() (finding, error)
}

func ours(tb testing.TB, facts []*wim.Facts) engine {
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
	}, func() (finding, error) {
		var out finding
		for k := range v.Findings {
			f := &v.Findings[k]
			i, ok := at[f.Limit]
			if !ok {
				return out, fmt.Errorf("a finding by %s", f.Limit)
			}
			out.over[i] = max(out.over[i], int64(f.Excess)+int64(f.Size.Excess))
		}
		for _, o := range v.Opinions {
			said := o.Outcome
			if said == wim.WithinTolerance {
				said = wim.Compliant // the peers get no figure before the deduction
			}
			switch o.Competence {
			case wim.RoadAdministration:
				out.road = said
			case wim.TrafficPolice:
				out.police = said
			}
		}
		return out, nil
	}}
}

// The same law in expr; what is left below a limit is negative, as in CEL and OPA, and set to nothing outside the clock.
const exprLaw = `!Goods ? [0,0,0,0,0,0,0,0,0] : [
  Net - (Axles == 2 ? 18000 : Axles == 3 ? (Train ? 27000 : 25000) : Axles == 4 ? (Train ? 36000 : 31000) : Axles == 5 ? 43000 : Drive == 1 ? 46000 : 49000),
  Posted > 0 ? Net - Posted : 0,
  PostedAxle > 0 ? NetAxle - PostedAxle : 0,
  Height - 4000, Width - 2550, Length - 18100,
  Net - Kerb - Rated,
  !Train && LicenceGross > 0 ? Net - LicenceGross : 0,
  Train ? Net - TractorKerb - TowedAtMost : 0]`

func byExpr(tb testing.TB, in []Input) engine {
	p, err := expr.Compile(exprLaw, expr.Env(Input{}))
	if err != nil {
		tb.Fatal(err)
	}
	envs := make([]any, len(in)) // boxed before the clock runs, which favours it; a map took as long, a pointer longer
	for i := range in {
		envs[i] = in[i]
	}
	var machine vm.VM
	var v any
	last := 0
	return engine{"expr", func(i int) (err error) {
		last = i
		v, err = machine.Run(p, envs[i])
		return err
	}, func() (finding, error) {
		var out excesses
		for k, x := range v.([]any) {
			out[k] = max(int64(x.(int)), 0)
		}
		return told(&in[last], out), nil
	}}
}

const celLaw = `!goods ? [0,0,0,0,0,0,0,0,0] : [
  net - (axles == 2 ? 18000 : axles == 3 ? (train ? 27000 : 25000) : axles == 4 ? (train ? 36000 : 31000) : axles == 5 ? 43000 : drive == 1 ? 46000 : 49000),
  posted > 0 ? net - posted : 0,
  posted_axle > 0 ? net_axle - posted_axle : 0,
  height - 4000, width - 2550, length - 18100,
  net - kerb - rated,
  !train && licence > 0 ? net - licence : 0,
  train ? net - tractor - towed : 0]`

// names are the variables of CEL and OPA, and values what they are for one vehicle, in that order.
var names = [...]string{
	"goods", "train", "axles", "drive", "net", "net_axle", "posted", "posted_axle", "height", "width", "length", "kerb", "rated", "licence", "tractor", "towed",
}

func (in *Input) values() [len(names)]any {
	return [...]any{
		in.Goods, in.Train, in.Axles, in.Drive, in.Net, in.NetAxle, in.Posted, in.PostedAxle, in.Height, in.Width, in.Length,
		in.Kerb, in.Rated, in.LicenceGross, in.TractorKerb, in.TowedAtMost,
	}
}

// row is a vehicle as CEL reads it: its own values, made before the clock runs, without a map, which favours it.
type row [len(names)]ref.Val

func (r *row) ResolveName(name string) (any, bool) {
	switch name {
	case "goods":
		return r[0], true
	case "train":
		return r[1], true
	case "axles":
		return r[2], true
	case "drive":
		return r[3], true
	case "net":
		return r[4], true
	case "net_axle":
		return r[5], true
	case "posted":
		return r[6], true
	case "posted_axle":
		return r[7], true
	case "height":
		return r[8], true
	case "width":
		return r[9], true
	case "length":
		return r[10], true
	case "kerb":
		return r[11], true
	case "rated":
		return r[12], true
	case "licence":
		return r[13], true
	case "tractor":
		return r[14], true
	case "towed":
		return r[15], true
	}
	return nil, false
}

func (*row) Parent() cel.Activation { return nil }

func byCEL(tb testing.TB, in []Input) engine {
	var opts []cel.EnvOption
	for i, n := range names {
		kind := cel.IntType
		if i < 2 {
			kind = cel.BoolType
		}
		opts = append(opts, cel.Variable(n, kind))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	law, iss := env.Compile(celLaw)
	if iss.Err() != nil {
		tb.Fatal(iss.Err())
	}
	p, err := env.Program(law, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		tb.Fatal(err)
	}
	rows := make([]row, len(in))
	for i := range in {
		for k, x := range in[i].values() {
			rows[i][k] = types.DefaultTypeAdapter.NativeToValue(x)
		}
	}
	var v ref.Val
	last := 0
	return engine{"CEL", func(i int) (err error) {
		last = i
		v, _, err = p.Eval(&rows[i])
		return err
	}, func() (finding, error) {
		got, err := v.ConvertToNative(reflect.TypeFor[[]int64]())
		if err != nil {
			return finding{}, err
		}
		var out excesses
		for k, x := range got.([]int64) {
			out[k] = max(x, 0)
		}
		return told(&in[last], out), nil
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

default axle := 0
axle := input.net_axle - input.posted_axle if input.posted_axle > 0

default licence := 0
licence := input.net - input.licence if { not input.train; input.licence > 0 }

default towed := 0
towed := (input.net - input.tractor) - input.towed if input.train

default verdict := [0, 0, 0, 0, 0, 0, 0, 0, 0]
verdict := [input.net - limit, posted, axle, input.height - 4000, input.width - 2550, input.length - 18100, (input.net - input.kerb) - input.rated, licence, towed] if input.goods
`

func byOPA(tb testing.TB, in []Input) engine {
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
	return engine{"OPA", func(i int) (err error) {
		last = i
		rs, err = q.Eval(ctx, rego.EvalParsedInput(parsed[i]), rego.EvalTransaction(read), raw, rego.EvalSortSets(false))
		return err
	}, func() (finding, error) {
		if len(rs) != 1 {
			return finding{}, fmt.Errorf("%d results", len(rs))
		}
		list, ok := rs[0].Expressions[0].Value.(*ast.Array)
		if !ok || list.Len() != len(limits) {
			return finding{}, fmt.Errorf("%T is no list of excesses", rs[0].Expressions[0].Value)
		}
		var out excesses
		for k := range limits {
			n, ok := list.Elem(k).Value.(ast.Number)
			x, whole := n.Int64()
			if !ok || !whole {
				return finding{}, fmt.Errorf("%v is no whole number", list.Elem(k))
			}
			out[k] = max(x, 0)
		}
		return told(&in[last], out), nil
	}}
}

func engines(tb testing.TB) []engine {
	facts, in := fleet()
	return []engine{ours(tb, facts), byExpr(tb, in), byCEL(tb, in), byOPA(tb, in)}
}

func found(t *testing.T, e *engine, i int) finding {
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
	outcomes := map[wim.Outcome]int{}
	var each [len(limits)]int
	for i := range vehicles {
		want := found(t, &all[0], i)
		outcomes[want.road]++
		for k, x := range want.over {
			if x > 0 {
				each[k]++
			}
		}
		for _, e := range all[1:] {
			if got := found(t, &e, i); got != want {
				t.Fatalf("vehicle %d: %s finds %+v, rules.Judge %+v", i, e.name, got, want)
			}
		}
	}
	for k, n := range each {
		if n < vehicles/50 || n > vehicles*3/4 {
			t.Errorf("%d of %d exceed %s: too one-sided to tell anything", n, vehicles, limits[k])
		}
	}
	t.Logf("%d vehicles judged alike by %d engines; for the road administration %v", vehicles, len(all), outcomes)
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
