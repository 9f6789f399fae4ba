// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

func TestRulesRefuseDangerousAddresses(t *testing.T) {
	linkLocal := []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16")}
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, c := range []struct {
		name, addr string
		rules      Rules
		refused    bool
	}{
		{"a public address", "93.184.216.34", Rules{}, false},
		{"a private address", "10.1.2.3", Rules{}, false},
		{"loopback", "127.0.0.1", Rules{}, false},
		{"loopback that a rule denies", "127.0.0.1", Rules{Deny: loopback}, true},
		{"loopback that is denied and allowed", "127.0.0.1", Rules{Deny: loopback, Allow: loopback}, false},
		{"the metadata service", "169.254.169.254", Rules{}, true},
		{"the metadata service in IPv6 clothes", "::ffff:169.254.169.254", Rules{}, true},
		{"the metadata service that a rule allows", "169.254.169.254", Rules{Allow: linkLocal}, false},
		{"the metadata service of Azure", "168.63.129.16", Rules{}, true},
		{"IPv6 link-local", "fe80::1", Rules{}, true},
		{"the unspecified address", "0.0.0.0", Rules{}, true},
		{"multicast", "224.0.0.1", Rules{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.rules.Check(netip.MustParseAddr(c.addr))
			if errors.Is(err, ErrRefused) != c.refused {
				t.Errorf("Check(%s) = %v, refused want %v", c.addr, err, c.refused)
			}
		})
	}
}

func TestAClientChecksTheAddressItDials(t *testing.T) {
	called := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	deny := NewClient(Rules{Deny: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, 5*time.Second)
	if res, err := deny.Get(server.URL); !errors.Is(err, ErrRefused) {
		if err == nil {
			_ = res.Body.Close()
		}
		t.Errorf("Get = %v, want ErrRefused", err)
	}
	if called {
		t.Error("the refused destination was called")
	}
}

func TestAClientDoesNotFollowRedirects(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
	}))
	defer server.Close()
	res, err := NewClient(Rules{}, 5*time.Second).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusFound {
		t.Errorf("status %d, want the redirect itself", res.StatusCode)
	}
}
