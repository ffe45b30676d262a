// Package edge is the hot path of one weighing site: a goroutine a lane turns device readings into judged,
// directed passages, one recorder commits them to the journal, a sender hands them to the centre.
//
// It promises:
//   - What was weighed is recorded the moment its vehicle end is read, with the plates read by then; a plate
//     that comes later follows as a supplement with facts and a verdict of its own.
//   - Every numbered message of a scale ends up in exactly one passage or one sealed gap, over restarts of the
//     device and of the site, lost frames, and a disk that was full: truth = records + gaps.
//   - Nothing slow stands in the way of the scale: a sign, a camera, the disk and the centre each have a
//     goroutine and a bounded queue of their own, and each queue's overflow rule is written beside it.
//   - A dead device costs its own lane only.
//   - Only a receipt under the centre's pinned key lets a record go.
//
// It never asks a driver's or a broker's name (it declares Scale, Camera, Sign and Link), never changes what
// an instrument indicated, and never shows a driver an order that it could not record.
//
// # The way of a reading
//
//	scale ─▶ readings (1024, overflow: dropped, shows as a hole in the sequence, becomes a gap)
//	camera ─▶ plates (32, overflow: refused, the camera sends again)
//	        lane: sequence ▸ assemble ▸ classify ▸ identify ▸ judge
//	          ├─▶ direction (1, overflow: the newer order replaces the older) ─▶ sign
//	          └─▶ groups (256, overflow: the lane waits; its readings then overflow as above)
//	                recorder: pictures, then one synced commit a batch
//	                  └─▶ hint (1, overflow: one hint is enough, the journal is the truth) ─▶ sender, uploader
//
// # Shutdown
//
// Sensors stop; readings that had arrived are still recorded; a vehicle whose end was not read stays
// unrecorded and is named by the gap that the next start finds in the sequence (closing it by force would
// void a weighing that may be whole on the device's side); the recorder commits what it was given; the sender
// gets a bounded time for the last receipts. The journal, the link and the sign's line are closed by whoever
// opened them.
package edge
