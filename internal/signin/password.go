// Package signin is what a person's sign-in stands on, at the centre and at a site: hashes of passwords that are slow to
// guess, and a door that holds up whoever tries many.
//
// It knows no officers, no sessions and no pages; who signs in and for how long is the caller's.
package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// The costs of new hashes: the second choice that RFC 9106 section 4 recommends.
const (
	hashTime    = 3
	hashMemory  = 64 << 10 // KiB
	hashThreads = 4
	hashSalt    = 16
	hashLength  = 32
)

// Limits on what is hashed and on what a stored hash may ask for.
const (
	minCharacters  = 8    // characters
	MaxPassword    = 1024 // bytes
	hashMemoryMax  = 1 << 20
	hashTimeMax    = 16
	hashThreadsMax = 64
)

// errHash says that a stored hash cannot be read.
var errHash = errors.New("not an argon2id hash in PHC form")

// HashPassword returns the argon2id hash of a password in PHC form, "$argon2id$v=19$m=…,t=…,p=…$salt$hash",
// with a salt of its own. A password has at least 8 characters and at most 1024 bytes.
func HashPassword(password string) (string, error) {
	return HashPasswordAt(password, Costs{Memory: hashMemory, Time: hashTime, Threads: hashThreads})
}

// Costs are what the work of one hash takes.
type Costs struct {
	Memory  uint32 // KiB
	Time    uint32 // passes over it
	Threads uint8
}

// HashPasswordAt is HashPassword at other costs. A hash of low costs is soon guessed by who has stolen it.
func HashPasswordAt(password string, c Costs) (string, error) {
	if utf8.RuneCountInString(password) < minCharacters || len(password) > MaxPassword {
		return "", fmt.Errorf("password: want at least %d characters and at most %d bytes; choose another", minCharacters, MaxPassword)
	}
	salt := make([]byte, hashSalt)
	rand.Read(salt) // never fails since Go 1.24
	h := hash{memory: c.Memory, time: c.Time, threads: c.Threads, salt: salt}
	h.key = h.of(password, hashLength)
	return h.String(), nil
}

// hash is a parsed PHC string of argon2id.
type hash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func (h *hash) of(password string, length int) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(length))
}

// String gives the PHC form.
func (h *hash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.key))
}

// parseHash reads the PHC form and refuses costs that would stall the service.
func parseHash(s string) (hash, error) {
	var h hash
	parts := strings.Split(strings.TrimSpace(s), "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return h, fmt.Errorf("%w: costs: %w", errHash, err)
	}
	if parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.time, h.threads) {
		return h, fmt.Errorf("%w: costs %q", errHash, parts[3])
	}
	if h.memory < 8*uint32(h.threads) || h.memory > hashMemoryMax || h.time < 1 || h.time > hashTimeMax || h.threads < 1 || h.threads > hashThreadsMax {
		return h, fmt.Errorf("%w: costs %q are out of range", errHash, parts[3])
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil || len(h.salt) < 8 || len(h.salt) > 64 {
		return h, fmt.Errorf("%w: salt", errHash)
	}
	if h.key, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil || len(h.key) < 16 || len(h.key) > 64 {
		return h, fmt.Errorf("%w: key", errHash)
	}
	return h, nil
}

// matches compares in constant time.
func (h *hash) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.of(password, len(h.key)), h.key) == 1
}
