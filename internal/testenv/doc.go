// Package testenv gives tests the real servers and programs that production has: PostgreSQL, Mosquitto, an
// external nats-server, Chromium, promtool. Each server is a private instance on a free port of loopback with a
// folder of its own, and is gone with the test process, however that ends.
//
// What is missing on a Debian machine is installed, which is said on standard error; elsewhere the test fails
// and says what to install. It never skips. It imports none of ours and is for tests only.
package testenv
