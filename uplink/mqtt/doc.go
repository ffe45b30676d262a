// Package mqtt carries messages between sites and the centre over MQTT 3.1.1: Site is a site's end, Center the
// intake's. Both keep a connection for as long as they run, coming back by themselves.
//
// It promises at least once, and less than it may seem: Publish returns nil when the broker acknowledged the
// message in the same connection epoch, which says that the broker took it and nothing more. What the centre has is
// told by its signed receipts alone. Within one epoch messages keep the order in which they were given;
// across epochs a message may come twice and after younger ones.
//
// It never stores a message: a site keeps its records in its own journal and the centre in its store. It never
// sends passwords beyond this machine in clear, and never acknowledges to the broker what its handler did
// not take.
//
// An epoch is one connection from CONNECT to its end. Each has a client of its own, because the MQTT
// library's reconnecting mixes stored and new messages and because its tokens may complete without an
// acknowledgement when a connection ends. Here the end of the network connection is seen first, in the connection
// itself, and nothing counts as acknowledged after it.
package mqtt
