"""Judges network addresses: a job may call public ones, unless its author allows others. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# A name that anybody controls may lead to the machine's own services or to a cloud's metadata. The
# ranges are those of the IANA special-purpose address registries; they stand here, because the
# addresses that Python calls global differ between its releases.
_NOT_PUBLIC = [
    (ip_network(network), kind)
    for network, kind in [
        ("0.0.0.0/8", "of this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "of this host"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "an IPv4 address in disguise"),
        ("64:ff9b::/96", "translated by NAT64"),
        ("64:ff9b:1::/48", "translated by NAT64"),
        ("2001::/32", "a Teredo tunnel"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "a 6to4 tunnel"),
        ("3fff::/20", "for documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
    ]
]
_GLOBAL_UNICAST = ip_network("2000::/3")


def why_not_public(address: str) -> str | None:
    """Return the kind of an address, "loopback" say; None if it is public. Raises ValueError."""
    parsed: IPv4Address | IPv6Address = ip_address(address)
    for network, kind in _NOT_PUBLIC:
        if parsed in network:
            return kind
    # IPv6 has been given out from this block alone: the rest may come to mean anything.
    if parsed.version == 6 and parsed not in _GLOBAL_UNICAST:
        return "reserved"
    return None
