// Package record takes whole vehicles from weigh-in-motion controllers that weigh and assemble by themselves and hand over
// one record a vehicle: as a line or a framed message on a TCP connection, or as a file that it, or an FTP server for it, puts
// in a folder; in JSON, CSV or XML. What stands where, in which unit and what each code means is a page of YAML.
//
// It promises that what the controller indicates is carried unchanged; that a code which the page does not name, a field that
// is missing or cannot be read exactly makes no vehicle: the record is refused and counted, and its number in the readings
// stays empty, so that the site seals a gap; that each record is handed on once, by its own name, however often it comes; and
// that it is acknowledged, or its file set aside, only when the site has committed it. What a controller takes back becomes
// a retraction and never changes what was recorded.
//
// It never guesses a unit, a time zone or a code, and knows no maker by name: a page does.
package record
