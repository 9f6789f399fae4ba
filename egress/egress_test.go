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
		{"the metadata service behind a gateway from IPv6", "64:ff9b::a9fe:a9fe", Rules{}, true},
		{"a private address behind a gateway from IPv6", "64:ff9b::7f00:1", Rules{Deny: loopback}, true},
		{"a public address behind a gateway from IPv6", "64:ff9b::5db8:d822", Rules{}, false},
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

func TestAPolicyNamesHosts(t *testing.T) {
	for _, c := range []struct {
		name        string
		allow, deny []string
		host, addr  string
		refused     bool
	}{
		{"every host", []string{"*"}, nil, "a.example.com", "1.2.3.4", false},
		{"a host by name", []string{"Hooks.Example.com"}, nil, "hooks.example.com.", "1.2.3.4", false},
		{"another host", []string{"hooks.example.com"}, nil, "example.com", "1.2.3.4", true},
		{"a host below a name", []string{"*.example.com"}, nil, "a.b.example.com", "1.2.3.4", false},
		{"the name itself is not below it", []string{"*.example.com"}, nil, "example.com", "1.2.3.4", true},
		{"a name that ends alike", []string{"*.example.com"}, nil, "badexample.com", "1.2.3.4", true},
		{"a host by its address", []string{"10.0.0.0/8"}, nil, "10.1.1.1", "10.1.1.1", false},
		{"a host whose name leads to an allowed address", []string{"10.0.0.0/8"}, nil, "inside", "10.1.1.1", false},
		{"a name that leads to another address", []string{"10.0.0.0/8"}, nil, "inside", "11.1.1.1", true},
		{"an IPv6 address", []string{"[2001:db8::1]"}, nil, "2001:db8::1", "2001:db8::1", false},
		{"a name does not open the metadata service", []string{"*", "meta"}, nil, "meta", "169.254.169.254", true},
		{"an address does", []string{"*", "169.254.169.254"}, nil, "meta", "169.254.169.254", false},
		{"a denied name", []string{"*"}, []string{"evil.example.com"}, "evil.example.com", "1.2.3.4", true},
		{"a denied address behind an allowed name", []string{"inside"}, []string{"10.0.0.0/8"}, "inside", "10.1.1.1", true},
		{"denied wins", []string{"10.0.0.0/8"}, []string{"10.1.0.0/16"}, "10.1.1.1", "10.1.1.1", true},
		{"nothing", nil, nil, "a", "1.2.3.4", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			allow, err := ParseHosts(c.allow)
			if err != nil {
				t.Fatal(err)
			}
			deny, err := ParseHosts(c.deny)
			if err != nil {
				t.Fatal(err)
			}
			err = Policy{allow, deny}.For(c.host).Check(netip.MustParseAddr(c.addr))
			if errors.Is(err, ErrRefused) != c.refused {
				t.Errorf("Check = %v, refused want %v", err, c.refused)
			}
		})
	}
}

func TestHostsThatAreNone(t *testing.T) {
	for _, item := range []string{"a b", "*x.example.com", "http://example.com", "a/b", "**", "*."} {
		if _, err := ParseHosts([]string{item}); err == nil {
			t.Errorf("%q was taken for a host", item)
		}
	}
}
