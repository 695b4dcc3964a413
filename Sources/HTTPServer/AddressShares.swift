import HTTPCore
import Synchronization

/// Counts the open connections of each client network (an IPv4 address, or a /64 of IPv6) over all loops, to enforce
/// `max_connections_per_address`.
///
/// Only networks with open connections are stored.
final class AddressShares: Sendable {
  private let maxCount: Int
  private let counts = Mutex<[ClientNetwork: Int]>([:])

  init(maxCount: Int) { self.maxCount = maxCount }

  /// A place for one of the connections that an address may have; given back when the last reference to it goes.
  final class Place: Sendable {
    private let shares: AddressShares
    private let network: ClientNetwork

    fileprivate init(_ shares: AddressShares, _ network: ClientNetwork) {
      self.shares = shares
      self.network = network
    }

    deinit { shares.giveBack(network) }
  }

  /// Takes a place for a connection from `address`; returns nil when the address has as many connections as it may.
  func take(_ address: PeerAddress) -> Place? {
    let network = ClientNetwork(address)
    let isFree = counts.withLock { counts in
      let count = counts[network, default: 0]
      guard count < maxCount else { return false }
      counts[network] = count + 1
      return true
    }
    return isFree ? Place(self, network) : nil
  }

  private func giveBack(_ network: ClientNetwork) {
    counts.withLock { counts in
      let count = counts[network, default: 1] - 1
      counts[network] = count == 0 ? nil : count
    }
  }

  /// How many addresses have connections.
  var addressCount: Int { counts.withLock { $0.count } }
}

/// The peer of a connection, and its place among the connections of the peer's address.
struct ConnectionOrigin {
  let peer: HTTPPeer
  /// Nil when connections per address are not limited, when the peer is a trusted proxy, whose clients are counted
  /// instead, and for a connection beyond a limit.
  var place: AddressShares.Place?
  /// Whether the address already had as many connections as it may.
  var isBeyondShare = false

  /// The response that refuses the connection when it is one too many.
  var refusal: HTTPResponse {
    isBeyondShare ? .tooManyConnectionsOfAddress : .tooManyConnections
  }
}
