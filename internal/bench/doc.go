// Package bench measures what Axlegate claims to be fast, each beside a named peer in the same run: a bare
// pseudo-terminal echo, a bare fsynced insert, a bare publish and subscribe through the same broker. A
// machine's noise hits both, so the printed ratio is worth more than the figures. Run it with make bench.
//
// It has no code of its own outside tests.
package bench
