// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Guard gives the rules for calls to one host, as the URL names it.
type Guard interface {
	For(host string) Rules
}

// For is the same for every host.
func (r Rules) For(string) Rules { return r }

// Hosts is a list of destinations, by name or by address.
type Hosts struct {
	any      bool
	names    []string // lower case; one that begins with a dot stands for all names that end in it
	prefixes []netip.Prefix
}

// ParseHosts reads a list whose items are "*" (every host), host names ("hooks.example.com"), name patterns
// ("*.example.com": all names below example.com), addresses ("10.0.0.1") and prefixes ("10.0.0.0/8").
func ParseHosts(list []string) (Hosts, error) {
	var h Hosts
	for _, item := range list {
		item = strings.ToLower(strings.TrimSpace(item))
		if prefix, err := netip.ParsePrefix(item); err == nil {
			h.prefixes = append(h.prefixes, prefix.Masked())
			continue
		}
		if addr, err := netip.ParseAddr(strings.Trim(item, "[]")); err == nil {
			h.prefixes = append(h.prefixes, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		switch name := strings.TrimPrefix(item, "*"); {
		case item == "":
		case item == "*":
			h.any = true
		case !isName(strings.TrimPrefix(name, ".")) || name != item && !strings.HasPrefix(name, "."):
			return h, fmt.Errorf("[%s] is neither a host name nor an address nor a prefix", item)
		default:
			h.names = append(h.names, name)
		}
	}
	return h, nil
}

// isName reports whether text has only what host names have.
func isName(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// names reports whether a host is in the list by its name.
func (h Hosts) named(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return h.any || slices.ContainsFunc(h.names, func(name string) bool {
		return name == host || strings.HasPrefix(name, ".") && strings.HasSuffix(host, name)
	})
}

// everywhere are all addresses.
var everywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// Policy lets calls go to the hosts of one list but for those of another. A dangerous address may be called only if
// Allow lists it as an address or within a prefix; a name does not do.
type Policy struct{ Allow, Deny Hosts }

// For is part of [Guard].
func (p Policy) For(host string) Rules {
	r := Rules{Allow: p.Allow.prefixes, Never: p.Deny.prefixes}
	if !p.Allow.named(host) {
		r.Deny = everywhere
	}
	if p.Deny.named(host) {
		r.Never = everywhere
	}
	return r
}
