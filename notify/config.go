// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// config is a channel as a client gives it.
type config struct {
	name, description string
	// kind is "" for one that the plugin does not know either.
	kind    Kind
	enabled bool
	to      Destination
}

// unsupported are the plugin's other kinds of configurations.
var unsupported = []Kind{
	"email", "sns", "ses_account", "smtp_account", "email_group", "microsoft_teams", "mattermost",
}

// known makes a kind that the plugin does not know "".
func known(name string) Kind {
	k := Kind(name)
	if k.supported() || slices.Contains(unsupported, k) {
		return k
	}
	return ""
}

func (k Kind) supported() bool { return k == Slack || k == Chime || k == Webhook }

// configRequest is the body of a request that creates or replaces a channel.
type configRequest struct {
	id     *string
	config *config
}

func parseConfigRequest(body []byte) (configRequest, error) {
	p := wire.NewParser(body)
	if _, err := p.Next(); err != nil {
		return configRequest{}, err
	}
	var r configRequest
	err := p.Object(func(name string) (err error) {
		switch name {
		case "config_id":
			r.id, err = p.TextOrNull()
		case "config":
			r.config, err = parseConfig(p)
		default:
			err = p.Skip()
		}
		return err
	})
	if err == nil && r.config == nil {
		err = fault.Illegal("config field absent")
	}
	return r, err
}

// parseConfig reads a channel's configuration. The errors are the plugin's, in its order.
func parseConfig(p *wire.Parser) (*config, error) {
	c := &config{enabled: true}
	var name, kind *string
	var data Kind
	text := func() (*string, error) {
		s, err := p.Text()
		return &s, err
	}
	err := p.Object(func(field string) (err error) {
		switch field {
		case "name":
			name, err = text()
		case "description":
			c.description, err = p.Text()
		case "config_type":
			kind, err = text()
		case "is_enabled":
			c.enabled, err = p.Bool()
		default:
			k := known(field)
			if k == "" || data != "" {
				return p.Skip()
			}
			data = k
			c.to, err = parseDestination(p, k)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case name == nil:
		return nil, fault.Illegal("name field absent")
	case kind == nil:
		return nil, fault.Illegal("config_type field absent")
	case *name == "":
		return nil, fault.Illegal("name is null or empty")
	}
	c.name, c.kind = *name, known(*kind)
	if slices.Contains(unsupported, c.kind) {
		return nil, fault.Illegal("Notification configurations of type [%s] are not supported", c.kind)
	}
	if c.kind != "" && c.kind != data {
		return nil, fault.Illegal("ConfigType: %s and data doesn't match", c.kind)
	}
	return c, nil
}

// parseDestination reads what stands under a kind's name.
func parseDestination(p *wire.Parser, kind Kind) (Destination, error) {
	d := Destination{Kind: kind}
	if !kind.supported() {
		return d, p.Skip()
	}
	given := false
	err := p.Object(func(name string) (err error) {
		switch {
		case name == "url":
			given = true
			d.URL, err = p.Text()
		case name == "header_params" && kind == Webhook:
			d.Header, err = parseTexts(p)
		case name == "method" && kind == Webhook:
			d.Method, err = p.Text()
		default:
			err = p.Skip()
		}
		return err
	})
	switch {
	case err != nil:
		return d, err
	case !given:
		return d, fault.Illegal("url field absent")
	case d.URL == "":
		return d, fault.Illegal("URL is null or empty")
	}
	if kind == Webhook && d.Method != http.MethodPut && d.Method != http.MethodPatch {
		d.Method = http.MethodPost // also in place of a method that is not supported, as in the plugin
	}
	return d, checkURL(d.URL)
}

func parseTexts(p *wire.Parser) (wire.Object, error) {
	o := wire.Object{}
	err := p.Object(func(name string) error {
		s, err := p.Text()
		o.Add(name, s)
		return err
	})
	return o, err
}

// checkURL refuses what is no URL, and protocols other than http and https.
func checkURL(text string) error {
	scheme, _, found := strings.Cut(text, ":")
	malformed := func(reason string) error {
		return fault.New(http.StatusBadRequest, "malformed_u_r_l_exception", "%s", reason)
	}
	switch {
	case !found || strings.ContainsAny(scheme, "/?#"):
		return malformed("no protocol: " + text)
	case slices.Contains([]string{"ftp", "file", "jar", "mailto"}, strings.ToLower(scheme)):
		return fault.Illegal("Invalid URL or unsupported")
	case !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"):
		return malformed("unknown protocol: " + strings.ToLower(scheme))
	}
	if u, err := url.Parse(text); err != nil || u.Hostname() == "" {
		return fault.Illegal("Invalid URL or unsupported")
	}
	return nil
}

// The URLs that the services hand out.
var (
	slackURL = regexp.MustCompile(`https://hooks\.(?:gov-)?slack\.com/services`)
	chimeURL = regexp.MustCompile(`https://hooks\.chime\.aws/incomingwebhooks/.*\?token=`)
)

// check refuses what only the plugin's action refuses, after the body was read without error.
func (c *config) check() error {
	switch {
	case c.kind == "":
		return fault.Status(http.StatusNotAcceptable, "NotificationConfig with type NONE is not acceptable")
	case c.kind == Slack && !slackURL.MatchString(c.to.URL):
		return fault.Status(http.StatusBadRequest, `Wrong Slack url. Should contain "hooks.slack.com/services/" or "hooks.gov-slack.com/services/"`)
	case c.kind == Chime && !chimeURL.MatchString(c.to.URL):
		return fault.Status(http.StatusBadRequest, `Wrong Chime url. Should contain "hooks.chime.aws/incomingwebhooks/" and "?token="`)
	}
	return nil
}

// json is the configuration as it is stored and shown.
func (c *config) json() wire.Object {
	data := wire.Obj("url", c.to.URL)
	if c.kind == Webhook {
		header := c.to.Header
		if header == nil {
			header = wire.Object{}
		}
		data.Add("header_params", header)
		data.Add("method", c.to.method())
	}
	return wire.Obj("name", c.name, "description", c.description, "config_type", string(c.kind), "is_enabled", c.enabled,
		string(c.kind), data)
}

// idCharacters are those of ids in base 64 of either alphabet.
const idCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/_-"

// checkID refuses an id that a client has chosen badly.
func checkID(id string) error {
	bad := strings.Map(func(r rune) rune {
		if strings.ContainsRune(idCharacters, r) {
			return -1
		}
		return r
	}, id)
	if bad != "" || id == "" {
		return fault.Illegal("Invalid characters in id : %s", bad)
	}
	return nil
}
