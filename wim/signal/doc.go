// Package signal turns the samples of strip sensors into axles: pulses above a baseline, their areas as wheel loads, speed for
// each axle by itself, and an estimate over several rows that knows how trucks bounce.
//
// It is pure and streaming: samples go in by the thousand, readings come out, memory is constant and nothing is allocated in
// steady state. Inside it works in floating point; what leaves it is in whole kilograms.
//
// The weight of a strip is force times contact: the tyre is longer than the strip, which sees a slice of it at a time, so an
// axle's load is speed times the area of its pulse over strip width and gain. An error of speed goes into it one to one.
//
// What it weighs is screening until a type approval names it: a site that uses it has no certificate that could say more.
package signal
