// Package page reads messages by a page of YAML that says what stands where: in JSON, CSV or XML, as pieces at paths, with
// quantities in the units and times in the zone that the page names. The rooms whose devices are described so hold a Layout, Fields
// and Clocks in pages of their own.
//
// It promises that a number is converted exactly and rounded once, a mass in the driver's favour; that a time which the clock shows
// twice or never is told; and that a message is bounded in depth, values and records. It never guesses a unit or a zone.
package page
