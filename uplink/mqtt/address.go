package mqtt

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// address is where the broker is and how it is spoken to.
type address struct {
	host string      // host:port
	tls  *tls.Config // nil speaks in clear
}

// parseAddress reads tcp://host:port (also mqtt://) and tls://host:port (also mqtts://).
func parseAddress(broker string, cfg *tls.Config) (address, error) {
	u, err := url.Parse(broker)
	if err != nil || u.Hostname() == "" {
		return address{}, fmt.Errorf("broker %q is no address; write tls://host:8883, or tcp://127.0.0.1:1883 on this machine", broker)
	}
	if u.User != nil {
		return address{}, errors.New("broker: name and password do not belong into the address; give a user name and a password file")
	}
	if u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return address{}, fmt.Errorf("broker %q: nothing may follow the port", broker)
	}
	port := u.Port()
	switch u.Scheme {
	case "tcp", "mqtt":
		if !loopback(u.Hostname()) {
			return address{}, fmt.Errorf("broker %q is beyond this machine and would be given the password in clear; "+
				"write tls://%s and name the authority that signed the centre's certificate", broker, u.Host)
		}
		if port == "" {
			port = "1883"
		}
		return address{host: net.JoinHostPort(u.Hostname(), port)}, nil
	case "tls", "mqtts":
		if port == "" {
			port = "8883"
		}
		if cfg == nil {
			cfg = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		return address{host: net.JoinHostPort(u.Hostname(), port), tls: cfg.Clone()}, nil
	}
	return address{}, fmt.Errorf("broker %q: scheme %q is not known; use tls, mqtts, or on this machine tcp, mqtt", broker, u.Scheme)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
