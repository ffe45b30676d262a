// Package web is what the pages of the centre and of a site share: languages and their words, numbers and
// times as officers read them, plates, the axle diagram, the page shell and the headers that every answer
// carries.
//
// It promises: every word exists in every language (a catalogue that lacks one is refused at start), every
// value is escaped before it reaches HTML or SVG, pages load nothing from elsewhere and need no inline
// script or style, and colour never carries meaning alone. It never reads a store, decides nothing about a
// vehicle, and shows a verdict exactly as it was recorded.
package web
