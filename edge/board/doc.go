// Package board is a site's own web page for its staff: what passes, how every device is, and the form for the licences
// that staff read from a vehicle. It works without a network.
//
// It shows a verdict exactly as it was recorded, decides nothing about a vehicle, and changes nothing but by Site.Key,
// which is sealed under the name of who did it. It keeps no state beyond who is signed in; a restart signs everybody out.
package board
