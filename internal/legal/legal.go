// Package legal names the legally relevant part of the software: the packages that take measurements from an
// instrument, make vehicles and verdicts of them, seal, store and hand them on. A certificate names its version
// and digest, so that a patch of a page, a driver of a sign or a tool leaves the certificate valid, and a change of
// anything that can change an account does not.
//
// The digest is that of the file legal.sum, which lists every source file of these packages with its SHA-256 and
// every module they are built with by its hash. Whoever doubts it runs, in the root of the repository,
//
//	grep -v '^#' internal/legal/legal.sum | sha256sum -c
//	sha256sum internal/legal/legal.sum
package legal

import (
	_ "embed" // for the list

	"github.com/axlegate/axlegate/wim"
)

// Version of the legally relevant packages. It rises whenever legal.sum changes in a release.
const Version = "1.0"

//go:embed legal.sum
var sum []byte

// Digest is the SHA-256 of legal.sum.
func Digest() wim.Digest { return wim.DigestOf(sum) }

// Packages are the legally relevant ones, by their folders.
func Packages() []string {
	return []string{
		"drivers/modbus", "drivers/modbusscale", "drivers/serial", // take readings from instruments
		"wim",                  // readings to vehicles
		"rules",                // vehicles to verdicts
		"internal/conf",        // reads rule sets and configurations
		"edge", "edge/journal", // keep and hand on
		"wim/seal", // make them provable
	}
}
