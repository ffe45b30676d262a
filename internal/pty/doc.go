// Package pty opens pseudo-terminals: lines without hardware.
package pty
