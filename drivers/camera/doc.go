// Package camera receives plate reads that cameras push over HTTP, one file a maker.
//
// It promises: a read is answered with success only after its taker has accepted it, so a camera that
// retries loses nothing; sizes, parts and nesting are bounded before anything is believed; what a camera
// calls "no plate" never becomes a plate. It never guesses which camera a push came from: each has a secret
// path of its own.
package camera
