package tools

import (
	"fmt"
	"net/netip"
	"syscall"
)

// A server that a model chooses, or whose name an input makes, may be one that only
// this machine can reach. So the address is looked at when the connection is made,
// after its name was resolved, for each connection and each redirect: a name that
// gives another address the second time cannot get past.

// RefusedError is an address that a request may not go to.
type RefusedError struct {
	Addr netip.Addr
	Why  string // "an address of this machine"
}

// Error says why, and the way out.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is %s, which is refused unless `allow_private = true` stands in the tool's `http`", e.Addr, e.Why)
}

// public refuses connections to what is not the public internet: it is the Control
// of a net.Dialer.
func public(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address %s cannot be read", address)
	}
	addr := to.Addr().WithZone("").Unmap()
	if why := refused(addr); why != "" {
		return &RefusedError{addr, why}
	}
	return nil
}

// ranges are the addresses of no public server that package netip has no question
// for.
var ranges = []struct {
	prefix netip.Prefix
	why    string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an address of this network"},
	{netip.MustParsePrefix("100.64.0.0/10"), "an address of a provider's inner network"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "an address for examples"},
	{netip.MustParsePrefix("198.18.0.0/15"), "an address for measurements"},
	{netip.MustParsePrefix("198.51.100.0/24"), "an address for examples"},
	{netip.MustParsePrefix("203.0.113.0/24"), "an address for examples"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},
	{netip.MustParsePrefix("168.63.129.16/32"), "an address of the cloud's own services"},
	{netip.MustParsePrefix("::/96"), "a reserved address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "a private address"},
	{netip.MustParsePrefix("100::/64"), "a reserved address"},
	{netip.MustParsePrefix("2001::/23"), "a reserved address"},
	{netip.MustParsePrefix("2001:db8::/32"), "an address for examples"},
	{netip.MustParsePrefix("3fff::/20"), "an address for examples"},
	{netip.MustParsePrefix("5f00::/16"), "a reserved address"},
	{netip.MustParsePrefix("fec0::/10"), "a private address"},
}

// within are the ranges whose addresses hold one of IPv4, and where it begins.
var within = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // translated
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4
}

// refused says what an address is that no request may go to; "" for any other.
func refused(a netip.Addr) string {
	switch {
	case a.IsUnspecified(), a.IsLoopback():
		return "an address of this machine"
	case a.IsPrivate():
		return "a private address"
	case a.IsLinkLocalUnicast(), a.IsLinkLocalMulticast():
		return "an address of this network"
	case a.IsMulticast(), a.IsInterfaceLocalMulticast():
		return "an address of many machines"
	}
	for _, r := range ranges {
		if r.prefix.Contains(a) {
			return r.why
		}
	}
	for _, w := range within {
		if w.prefix.Contains(a) {
			b := a.As16()
			return refused(netip.AddrFrom4([4]byte(b[w.at : w.at+4])))
		}
	}
	return ""
}
