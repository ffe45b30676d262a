// Package inbox takes messages that a device or system hands over one by one: as files in a folder, or as pushes over HTTP. What
// a message means is the taker's.
//
// It promises that a file is set aside as taken only when its taker said so, and as refused with the reason beside it; that a file
// which is still being written is left alone; that a push is answered only when it was taken; and that every message is bounded.
// It never deletes a file that was not taken.
package inbox
