package center

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// secretPrefix lets people and scanners recognise a token that was left lying about.
const secretPrefix = "axg_"

// TokenSecret spells a token's secret from 32 random bytes.
func TokenSecret(random [32]byte) string {
	return secretPrefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// SecretDigest is the SHA-256 under which a token is kept. What cannot be a secret is an error. The secret has
// 256 random bits, so a fast digest without salt serves.
func SecretDigest(secret string) ([32]byte, error) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder passes over line ends; a secret has one spelling.
	if !ok || err != nil || len(b) != 32 || TokenSecret([32]byte(b)) != secret {
		return [32]byte{}, errors.New("a token's secret is axg_ and 43 characters of base64url")
	}
	return sha256.Sum256([]byte(secret)), nil
}
