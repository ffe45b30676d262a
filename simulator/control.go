package simulator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/axlegate/axlegate/internal/conf"
	"github.com/axlegate/axlegate/wim"
)

// control is an HTTP port by which tests and engineers look at the devices and break them. It has no
// sign-in and must stay on loopback.
//
//	GET  /state                    vehicles passed and lanes done
//	GET  /truth                    the last lines of ground truth, NDJSON
//	GET  /lanes/{n}/sign           what the sign shows
//	GET  /lanes/{n}/boot           the scale's boot and its last sequence number
//	POST /lanes/{n}/pull | plug | restart
//	POST /lanes/{n}/fault/{kind}?for=3s   strikes now, or the next vehicle where it needs one
//	GET  /bridges/{name}           what stands on a weighbridge
//	POST /bridges/{name}/fault/{kind}?for=3s
type control struct {
	l   net.Listener
	sim *Simulator
}

func newControl(ctx context.Context, addr string, sim *Simulator) (*control, error) {
	if err := loopback(addr); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("control port: %w", err)
	}
	return &control{l: l, sim: sim}, nil
}

// loopback refuses an address that others than this machine can reach.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("control port: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("control port %s: it has no sign-in, so it listens on 127.0.0.1 only", addr)
	}
	return nil
}

// ControlAddr is the address of the control port, empty for none.
func (s *Simulator) ControlAddr() string {
	if s.control == nil {
		return ""
	}
	return s.control.l.Addr().String()
}

func (c *control) run(ctx context.Context) error {
	m := http.NewServeMux()
	m.HandleFunc("GET /state", c.state)
	m.HandleFunc("GET /truth", c.truth)
	m.HandleFunc("GET /lanes/{lane}/sign", c.signState)
	m.HandleFunc("GET /lanes/{lane}/boot", c.boot)
	for name, do := range map[string]func(wim.LaneID) error{"pull": c.sim.Pull, "plug": c.sim.Plug, "restart": c.sim.Restart} {
		m.HandleFunc("POST /lanes/{lane}/"+name, func(w http.ResponseWriter, r *http.Request) {
			lane, ok := c.lane(w, r)
			if !ok {
				return
			}
			if err := do(lane); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	m.HandleFunc("POST /lanes/{lane}/fault/{kind}", c.fault)
	m.HandleFunc("GET /bridges/{name}", c.bridge)
	m.HandleFunc("POST /bridges/{name}/fault/{kind}", c.bridgeFault)
	s := &http.Server{Handler: m, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() { done <- s.Serve(c.l) }()
	<-ctx.Done()
	err := s.Close()
	if serr := <-done; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

func (c *control) lane(w http.ResponseWriter, r *http.Request) (wim.LaneID, bool) {
	n, err := strconv.ParseUint(r.PathValue("lane"), 10, 16)
	if err != nil || c.sim.lane(wim.LaneID(n)) == nil {
		http.Error(w, "there is no lane "+r.PathValue("lane"), http.StatusNotFound)
		return 0, false
	}
	return wim.LaneID(n), true
}

func (c *control) state(w http.ResponseWriter, _ *http.Request) {
	var out struct {
		Vehicles int  `json:"vehicles"`
		Done     bool `json:"done"` // every lane's vehicles are used up and every weighing was taken
	}
	out.Vehicles, out.Done = c.sim.Passed(), true
	for _, l := range c.sim.lanes {
		select {
		case <-l.done:
		default:
			out.Done = false
		}
	}
	for _, p := range c.sim.checkpoints {
		out.Done = out.Done && p.open.Load() == 0
	}
	reply(w, out)
}

func (c *control) truth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = w.Write(c.sim.truth.recent()) // a reader that went away needs no answer
}

func (c *control) boot(w http.ResponseWriter, r *http.Request) {
	lane, ok := c.lane(w, r)
	if !ok {
		return
	}
	var out struct {
		Boot uint32 `json:"boot"`
		Seq  uint32 `json:"seq"` // of the last axle or vehicle end, 0 for none
	}
	out.Boot, out.Seq = c.sim.lane(lane).scale.numbers()
	reply(w, out)
}

func (c *control) signState(w http.ResponseWriter, r *http.Request) {
	lane, ok := c.lane(w, r)
	if !ok {
		return
	}
	s, ok := c.sim.Sign(lane)
	if !ok {
		http.Error(w, "the lane has no sign", http.StatusNotFound)
		return
	}
	reply(w, s)
}

func (c *control) fault(w http.ResponseWriter, r *http.Request) {
	lane, ok := c.lane(w, r)
	if !ok {
		return
	}
	k := FaultKind(r.PathValue("kind"))
	probe := Scenario{Site: "x", Lanes: []Lane{{Lane: lane, Scale: "x"}}, Faults: []Fault{{Lane: lane, Kind: k}}}
	if addr := c.sim.ScaleAddr(lane); addr != "" {
		probe.Lanes[0].Scale, probe.Lanes[0].ScaleModbus = "", addr
	}
	length, err := time.ParseDuration(cmp.Or(r.FormValue("for"), "3s"))
	if err != nil || length < 0 {
		http.Error(w, "for: want a duration such as 3s", http.StatusBadRequest)
		return
	}
	probe.Faults[0].For = conf.Duration(length)
	if err := probe.Validate(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if k.needsNoVehicle() {
		if err := c.sim.strikeScale(c.sim.lane(lane), k, length); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
		return
	}
	select {
	case c.sim.lane(lane).pending <- probe.Faults[0]:
	default:
		http.Error(w, "sixteen faults wait already", http.StatusTooManyRequests)
	}
}

func (c *control) bridge(w http.ResponseWriter, r *http.Request) {
	s, ok := c.sim.Bridge(r.PathValue("name"))
	if !ok {
		http.Error(w, "there is no bridge "+r.PathValue("name"), http.StatusNotFound)
		return
	}
	reply(w, s)
}

func (c *control) bridgeFault(w http.ResponseWriter, r *http.Request) {
	b := c.sim.bridge(r.PathValue("name"))
	if b == nil {
		http.Error(w, "there is no bridge "+r.PathValue("name"), http.StatusNotFound)
		return
	}
	kind := IndicatorFault(r.PathValue("kind"))
	if !slices.Contains(b.Faults(), kind) {
		http.Error(w, fmt.Sprintf("there is no fault %q; there are %v", kind, b.Faults()), http.StatusBadRequest)
		return
	}
	d, err := time.ParseDuration(cmp.Or(r.FormValue("for"), "3s"))
	if err != nil || d < 0 {
		http.Error(w, "for: want a duration such as 3s", http.StatusBadRequest)
		return
	}
	b.Strike(kind, d)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
