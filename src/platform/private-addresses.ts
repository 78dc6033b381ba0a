// Addresses that no message from outside may reach: of this machine, of networks behind it, and of the platform's own services.
import { BlockList, isIPv4, isIPv6 } from 'node:net'

const PRIVATE_V4 = [
  // This host, private, shared (RFC 6598), loopback, link-local (169.254.169.254 gives tokens of the identity), documentation, benchmarks.
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast and reserved; Azure's own address for health and DNS.
  ['224.0.0.0', 3],
  ['168.63.129.16', 32],
] as const
const PRIVATE_V6 = [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const

const list = new BlockList()
for (const [net, prefix] of PRIVATE_V4) list.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of PRIVATE_V6) list.addSubnet(net, prefix, 'ipv6')

/** Also of an IPv4 address within an IPv6 one; what is no address counts as private. */
export function isPrivateAddress(address: string): boolean {
  if (isIPv4(address)) return list.check(address, 'ipv4')
  if (!isIPv6(address)) return true
  return list.check(address, 'ipv6')
}
