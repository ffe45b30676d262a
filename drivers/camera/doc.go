// Package camera receives plate reads that cameras push over HTTP, each maker's format in a file of its own. Formats
// lists them with what each carries and lacks.
//
// It promises: a read is answered with success only after its taker has accepted it, so a camera that
// retries loses nothing; rates, sizes, parts and nesting are bounded before anything is believed; a picture is
// named by its digest; what a camera calls "no plate" never becomes a plate; what comes again, in whatever order,
// amends the first account and is no second vehicle. It never guesses which camera a push came from: each has a
// secret path of its own.
package camera
