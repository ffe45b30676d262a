package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/axlegate/axlegate/edge"
	"github.com/axlegate/axlegate/edge/board"
	"github.com/axlegate/axlegate/internal/conf"
)

// BoardConfig is the site's own page for its staff.
type BoardConfig struct {
	// Listen is where it is served: on 127.0.0.1, or with a certificate.
	Listen   string `yaml:"listen"`
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// Zone is the time zone of the page; empty means UTC.
	Zone  string        `yaml:"zone"`
	Staff []StaffConfig `yaml:"staff"`
}

// StaffConfig is somebody who may sign in at the site.
type StaffConfig struct {
	Login string `yaml:"login"`
	Name  string `yaml:"name"`
	// HashFile holds the argon2id hash that "axlegate keys password" prints.
	HashFile string `yaml:"hash_file"`
}

func (c *BoardConfig) valid() error {
	if c == nil {
		return nil
	}
	if c.Listen == "" {
		return errors.New("board.listen is missing: it says where the page is served, such as 127.0.0.1:9104")
	}
	if len(c.Staff) == 0 {
		return errors.New("board.staff is missing: nobody could sign in")
	}
	seen := map[string]bool{}
	for i, s := range c.Staff {
		switch {
		case s.Login == "" || s.HashFile == "":
			return fmt.Errorf("board.staff[%d]: login and hash_file are needed", i)
		case seen[s.Login]:
			return fmt.Errorf("board.staff[%d]: login %s is listed twice", i, s.Login)
		}
		seen[s.Login] = true
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return fmt.Errorf("board.zone: %w; use a name such as Asia/Shanghai", err)
	}
	return nil
}

// staffPage is the opened configuration of a board.
type staffPage struct {
	listen string
	tls    *tls.Config
	staff  []board.Person
	zone   *time.Location
	// bridges are the site's static scales.
	bridges []board.Bridge
}

// openBoard reads what the configuration names; nil where there is no board.
func openBoard(cfg *EdgeConfig) (*staffPage, error) {
	c := cfg.Board
	if c == nil {
		return nil, nil
	}
	p := &staffPage{listen: c.Listen}
	var err error
	if p.zone, err = time.LoadLocation(c.Zone); err != nil {
		return nil, fmt.Errorf("board.zone: %w", err)
	}
	if p.tls, err = serverTLS("board.listen", c.Listen, cfg.path(c.CertFile), cfg.path(c.KeyFile)); err != nil {
		return nil, err
	}
	for _, s := range c.Staff {
		hash, err := conf.Secret(cfg.path(s.HashFile))
		if err != nil {
			return nil, fmt.Errorf("board.staff %s: %w", s.Login, err)
		}
		p.staff = append(p.staff, board.Person{Login: s.Login, Name: s.Name, Hash: hash})
	}
	if _, err := p.handler(nil, cfg, nil, nil); err != nil { // what can't be meant is told before anything starts
		return nil, err
	}
	return p, nil
}

func (p *staffPage) handler(site *edge.Site, cfg *EdgeConfig, now func() time.Time, log *slog.Logger) (http.Handler, error) {
	return board.New(board.Config{Site: site, Name: string(cfg.Site), Road: cfg.Road.Name, Staff: p.staff, Bridges: p.bridges, Location: p.zone, Secure: p.tls != nil, Now: now, Logger: log})
}

// serve shows the site's page until ctx ends. A page that cannot be served costs the site nothing else.
func (p *staffPage) serve(ctx context.Context, site *edge.Site, cfg *EdgeConfig, now func() time.Time, log *slog.Logger) error {
	h, err := p.handler(site, cfg, now, log)
	if err != nil {
		return err
	}
	l, err := listen(ctx, "board.listen", p.listen)
	if err != nil {
		return err
	}
	return serve(ctx, l, h, p.tls, log)
}
