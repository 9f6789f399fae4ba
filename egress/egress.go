// SPDX-License-Identifier: Apache-2.0

// Package egress makes the outgoing HTTP calls that clients ask for: notifications, connectors. A call goes only where
// the [Rules] let it, checked on the address that is really dialled, so that a name that resolves to something else the
// second time changes nothing. Redirects are not followed.
//
// Link-local addresses (which clouds use for their metadata services), unspecified and multicast addresses are refused
// unless a rule allows them by name.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrRefused is wrapped by the error of a call that the rules forbid.
var ErrRefused = errors.New("destination not allowed")

// metadata are the addresses of cloud metadata services that are not link-local.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("fd00:ec2::254/128"),  // AWS over IPv6
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle Cloud
}

// Rules say which addresses may be called. The zero value allows all but the dangerous ones.
type Rules struct {
	// Allow lists prefixes that may be called although they are dangerous (169.254.0.0/16, for example).
	Allow []netip.Prefix
	// Deny lists prefixes that may not be called. Allow wins over it.
	Deny []netip.Prefix
	// Never lists prefixes that may not be called whatever Allow says.
	Never []netip.Prefix
}

// Check refuses an address that the rules forbid.
func (r Rules) Check(addr netip.Addr) error {
	addr = reached(addr)
	switch {
	case contains(r.Allow, addr) && !contains(r.Never, addr):
		return nil
	case contains(r.Never, addr), contains(r.Deny, addr), contains(metadata, addr), addr.IsLinkLocalUnicast(), addr.IsLinkLocalMulticast(),
		addr.IsInterfaceLocalMulticast(), addr.IsMulticast(), addr.IsUnspecified():
		return fmt.Errorf("%w: %s", ErrRefused, addr)
	}
	return nil
}

// translated are the IPv6 addresses that a gateway turns into the IPv4 address in their last four bytes (RFC 6052).
var translated = netip.MustParsePrefix("64:ff9b::/96")

// reached is the address that an address leads to.
func reached(addr netip.Addr) netip.Addr {
	if b := addr.As16(); translated.Contains(addr) {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return addr.Unmap()
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// NewClient returns a client that calls only what a guard allows. timeout bounds one call, the reading of its answer
// included.
func NewClient(guard Guard, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                 nil, // a proxy would hide the address that is checked
			DialContext:           dial(guard, timeout),
			TLSHandshakeTimeout:   timeout,
			ResponseHeaderTimeout: timeout,
			MaxIdleConns:          32,
			IdleConnTimeout:       30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial checks the address that a host's name has turned into, right before it is connected to.
func dial(guard Guard, timeout time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", ErrRefused, address)
		}
		rules := guard.For(host)
		dialer := &net.Dialer{
			Timeout: timeout,
			ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
				ap, err := netip.ParseAddrPort(address)
				if err != nil {
					return fmt.Errorf("%w: %s", ErrRefused, address)
				}
				return rules.Check(ap.Addr())
			},
		}
		return dialer.DialContext(ctx, network, address)
	}
}
