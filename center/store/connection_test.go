package store

import (
	"strings"
	"testing"
)

func TestADatabaseBeyondThisMachineIsReachedByTLSOnly(t *testing.T) {
	for _, c := range []struct {
		name, url string
		refused   bool
	}{
		{"on loopback in clear", "postgres://a:secret@127.0.0.1/x?sslmode=disable", false},
		{"on loopback by the library's default", "postgres://a:secret@localhost/x", false},
		{"on a socket", "postgres:///x?host=/run/postgresql", false},
		{"beyond, in clear", "postgres://a:secret@db.example/x?sslmode=disable", true},
		{"beyond, by the library's default, which falls back to clear", "postgres://a:secret@db.example/x", true},
		{"beyond, checked", "postgres://a:secret@db.example/x?sslmode=verify-full", false},
		{"beyond, encrypted", "postgres://a:secret@db.example/x?sslmode=require", false},
		{"a second host in clear", "postgres://a:secret@127.0.0.1,192.0.2.7/x?sslmode=disable", true},
		{"not a connection string", "postgres://a:secret@:::/x", true},
	} {
		_, err := connConfig(c.url)
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is told: %v", c.name, err)
		}
	}
}
