// Package simulator plays the hardware of a weighing site: seeded traffic on axle scales behind real
// pseudo-terminals or Modbus TCP, plate cameras that push pictures over HTTP, message signs on Modbus TCP, faults by
// script, and the ground truth of every vehicle.
//
// Every device was written from its page in docs/devices or from its maker's protocol, never from the
// drivers, so that the two find each other's mistakes on the wire. The same seed gives the same vehicles in
// the same order. It never judges: what is exceeded is not its business.
package simulator
