// Package browsertest opens the pages in a real browser, on a real store that real signed records reach through
// the intake: what officers see, type and press is what is proved. It has no code outside tests. A page that
// fails leaves its picture in the test's artefacts (go test -artifacts).
package browsertest
