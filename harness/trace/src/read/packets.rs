/*! Packets out of capture files.

Takes the bytes of a pcap or pcapng file; gives TCP segments and UDP datagrams
with times. Understands Ethernet (with VLAN tags), Linux cooked captures of
both versions, loopback and raw IP. A file cut short gives what is whole.
*/

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};

use crate::Micros;

/// One piece of TCP or UDP traffic.
#[derive(Debug, Clone)]
pub struct Packet<'a> {
    /// Microseconds since the epoch.
    pub at: Micros,
    /// Source.
    pub from: SocketAddr,
    /// Destination.
    pub to: SocketAddr,
    /// What it carries.
    pub load: Load<'a>,
}

/// The transport's part.
#[derive(Debug, Clone)]
pub enum Load<'a> {
    /// A TCP segment.
    Tcp {
        /// Sequence number of its first byte.
        seq: u32,
        /// SYN set.
        syn: bool,
        /// ACK set.
        ack: bool,
        /// FIN set.
        fin: bool,
        /// RST set.
        rst: bool,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// A UDP datagram.
    Udp(&'a [u8]),
}

/// All packets of a file, and what was left out.
#[derive(Debug, Default)]
pub struct Packets<'a> {
    /// In the order of the file.
    pub packets: Vec<Packet<'a>>,
    /// Packets of link layers that are not understood.
    pub unknown_links: usize,
    /// Packets that were captured only in part.
    pub cut: usize,
    /// IP fragments, which are not put together.
    pub fragments: usize,
    /// Packets that carry neither TCP nor UDP, or are broken.
    pub others: usize,
    /// Whether the file ends inside a packet.
    pub truncated: bool,
}

/// Whether the bytes begin like a capture file.
pub fn is_capture(bytes: &[u8]) -> bool {
    matches!(
        bytes.get(..4),
        Some(
            [0xa1, 0xb2, 0xc3, 0xd4]
                | [0xd4, 0xc3, 0xb2, 0xa1]
                | [0xa1, 0xb2, 0x3c, 0x4d]
                | [0x4d, 0x3c, 0xb2, 0xa1]
                | [0x0a, 0x0d, 0x0d, 0x0a]
        )
    )
}

/// Reads a capture file.
pub fn read(bytes: &[u8]) -> Result<Packets<'_>, String> {
    let mut out = Packets::default();
    if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        pcapng(bytes, &mut out)?;
    } else {
        pcap(bytes, &mut out)?;
    }
    Ok(out)
}

#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn u32(self, b: &[u8], at: usize) -> Option<u32> {
        let b: [u8; 4] = b.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big {
            u32::from_be_bytes(b)
        } else {
            u32::from_le_bytes(b)
        })
    }

    fn u16(self, b: &[u8], at: usize) -> Option<u16> {
        let b: [u8; 2] = b.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big {
            u16::from_be_bytes(b)
        } else {
            u16::from_le_bytes(b)
        })
    }
}

/// The classic form: a header of 24 bytes, then records of 16 bytes and data.
fn pcap<'a>(bytes: &'a [u8], out: &mut Packets<'a>) -> Result<(), String> {
    let (big, nanos) = match bytes.get(..4) {
        Some([0xa1, 0xb2, 0xc3, 0xd4]) => (true, false),
        Some([0xd4, 0xc3, 0xb2, 0xa1]) => (false, false),
        Some([0xa1, 0xb2, 0x3c, 0x4d]) => (true, true),
        _ => (false, true),
    };
    let order = Order { big };
    let link = order
        .u32(bytes, 20)
        .ok_or("the capture ends inside its header")?
        & 0x0fff_ffff;
    let mut at = 24;
    while at < bytes.len() {
        let (Some(seconds), Some(fraction), Some(kept), Some(whole)) = (
            order.u32(bytes, at),
            order.u32(bytes, at + 4),
            order.u32(bytes, at + 8),
            order.u32(bytes, at + 12),
        ) else {
            out.truncated = true;
            break;
        };
        let from = at + 16;
        let Some(data) = bytes.get(from..from.saturating_add(kept as usize)) else {
            out.truncated = true;
            break;
        };
        let micros = u64::from(fraction) / if nanos { 1000 } else { 1 };
        let time = u64::from(seconds) * 1_000_000 + micros;
        out.cut += usize::from(kept < whole);
        frame(time, link, data, out);
        at = from + kept as usize;
    }
    Ok(())
}

/// The block form: sections with interfaces, each with its link layer and time unit.
fn pcapng<'a>(bytes: &'a [u8], out: &mut Packets<'a>) -> Result<(), String> {
    let mut order = Order { big: false };
    let mut interfaces: Vec<(u32, u64)> = Vec::new();
    let mut at = 0;
    while at + 12 <= bytes.len() {
        let section = bytes[at..].starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]);
        if section {
            order = match bytes.get(at + 8..at + 12) {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => Order { big: true },
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => Order { big: false },
                _ => {
                    return Err(format!(
                        "the capture's section at byte {at} has no byte order"
                    ));
                }
            };
            interfaces.clear();
        }
        let kind = order.u32(bytes, at).unwrap_or(0);
        let length = order.u32(bytes, at + 4).unwrap_or(0) as usize;
        if length < 12 || !length.is_multiple_of(4) {
            return Err(format!(
                "the capture's block at byte {at} has a length of {length}"
            ));
        }
        let Some(block) = bytes.get(at + 8..(at + length).saturating_sub(4)) else {
            out.truncated = true;
            break;
        };
        match kind {
            1 => {
                let link = u32::from(order.u16(block, 0).unwrap_or(0));
                interfaces.push((link, unit(order, block.get(8..).unwrap_or(&[]))));
            }
            6 => enhanced(order, block, &interfaces, out),
            3 => {
                let whole = order.u32(block, 0).unwrap_or(0) as usize;
                let data = block.get(4..).unwrap_or(&[]);
                let kept = whole.min(data.len());
                if let Some((link, _)) = interfaces.first() {
                    frame(0, *link, &data[..kept], out);
                }
            }
            _ => {}
        }
        at += length;
    }
    if at < bytes.len() {
        out.truncated = true;
    }
    Ok(())
}

fn enhanced<'a>(order: Order, block: &'a [u8], interfaces: &[(u32, u64)], out: &mut Packets<'a>) {
    let (Some(interface), Some(high), Some(low), Some(kept), Some(whole)) = (
        order.u32(block, 0),
        order.u32(block, 4),
        order.u32(block, 8),
        order.u32(block, 12),
        order.u32(block, 16),
    ) else {
        return;
    };
    let Some((link, per_second)) = interfaces.get(interface as usize) else {
        return;
    };
    let Some(data) = block.get(20..20usize.saturating_add(kept as usize)) else {
        return;
    };
    let ticks = u128::from(high) << 32 | u128::from(low);
    let time = ticks * 1_000_000 / u128::from((*per_second).max(1));
    out.cut += usize::from(kept < whole);
    frame(u64::try_from(time).unwrap_or(u64::MAX), *link, data, out);
}

/// Ticks per second of an interface, from its options; microseconds when it says nothing.
fn unit(order: Order, mut options: &[u8]) -> u64 {
    while let (Some(code), Some(length)) = (order.u16(options, 0), order.u16(options, 2)) {
        let length = length as usize;
        if code == 0 {
            break;
        }
        if code == 9
            && let Some(value) = options.get(4)
        {
            let power = u32::from(value & 0x7f);
            return if value & 0x80 == 0 {
                10u64.checked_pow(power).unwrap_or(1_000_000)
            } else {
                2u64.checked_pow(power).unwrap_or(1_000_000)
            };
        }
        let step = 4 + length.div_ceil(4) * 4;
        options = options.get(step..).unwrap_or(&[]);
    }
    1_000_000
}

/// One captured frame.
fn frame<'a>(at: Micros, link: u32, data: &'a [u8], out: &mut Packets<'a>) {
    let sliced = match link {
        1 => LaxSlicedPacket::from_ethernet(data).ok(),
        // Loopback of BSD and others: the address family in four bytes.
        0 | 108 => data.get(4..).and_then(|d| LaxSlicedPacket::from_ip(d).ok()),
        12 | 14 | 101 | 228 | 229 => LaxSlicedPacket::from_ip(data).ok(),
        // Linux cooked, both versions: the protocol number stands at 14 or at 0.
        113 => cooked(data, 14, 16),
        276 => cooked(data, 0, 20),
        _ => {
            out.unknown_links += 1;
            return;
        }
    };
    let Some(packet) = sliced.and_then(|s| packet(at, &s, out)) else {
        return;
    };
    out.packets.push(packet);
}

fn cooked(data: &[u8], protocol: usize, payload: usize) -> Option<LaxSlicedPacket<'_>> {
    let number = u16::from_be_bytes([*data.get(protocol)?, *data.get(protocol + 1)?]);
    Some(LaxSlicedPacket::from_ether_type(
        EtherType(number),
        data.get(payload..)?,
    ))
}

fn packet<'a>(
    at: Micros,
    sliced: &LaxSlicedPacket<'a>,
    out: &mut Packets<'a>,
) -> Option<Packet<'a>> {
    let (source, target, fragmented): (IpAddr, IpAddr, bool) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
            ip.payload().fragmented,
        ),
        Some(LaxNetSlice::Ipv6(ip)) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
            ip.payload().fragmented,
        ),
        _ => {
            out.others += 1;
            return None;
        }
    };
    if fragmented {
        out.fragments += 1;
        return None;
    }
    let (from, to, load) = match &sliced.transport {
        Some(TransportSlice::Tcp(tcp)) => (
            tcp.source_port(),
            tcp.destination_port(),
            Load::Tcp {
                seq: tcp.sequence_number(),
                syn: tcp.syn(),
                ack: tcp.ack(),
                fin: tcp.fin(),
                rst: tcp.rst(),
                bytes: tcp.payload(),
            },
        ),
        Some(TransportSlice::Udp(udp)) => (
            udp.source_port(),
            udp.destination_port(),
            Load::Udp(udp.payload()),
        ),
        _ => {
            out.others += 1;
            return None;
        }
    };
    Some(Packet {
        at,
        from: SocketAddr::new(source, from),
        to: SocketAddr::new(target, to),
        load,
    })
}
