// Package chaos breaks a whole installation by a seeded plan while traffic passes, lets it heal, and holds what
// the centre stores against what the scales have sent: nothing lost, nothing twice.
//
// It has tests only. TestChaos is the run, short among all tests and as long as one likes by make chaos;
// TestChaosProof plants bugs and wants the run to find them. One seed gives one plan: what is broken, when, and for
// how long is drawn before anything starts, and never depends on how the programs race.
package chaos
