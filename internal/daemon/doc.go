// Package daemon wires the rooms into what the commands start: a site's edge daemon, the centre and the
// simulated hardware. The four commands, the demo and the end-to-end test all run this code, so that what
// is tested is what is shipped.
//
// It owns the configuration files and decides which driver, store and link stand behind which interface.
// It judges, stores and seals nothing itself.
package daemon
