import HTTPCore
import Synchronization

/// How many of the connections each address has, over all loops: `max_connections_per_address`.
///
/// It remembers no more addresses than there are connections.
final class AddressShares: Sendable {
  private let maxCount: Int
  private let counts = Mutex<[ClientNetwork: Int]>([:])

  init(maxCount: Int) { self.maxCount = maxCount }

  /// A connection's place among those of its address, which is free again once nobody has it.
  final class Place: Sendable {
    private let shares: AddressShares
    private let network: ClientNetwork

    fileprivate init(_ shares: AddressShares, _ network: ClientNetwork) {
      self.shares = shares
      self.network = network
    }

    deinit { shares.giveBack(network) }
  }

  /// A place for a connection from `address`; nil where that has as many as it may.
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

/// Where a connection comes from, and what it has of its address's share.
struct ConnectionOrigin {
  let peer: HTTPPeer
  /// Nil where addresses have no shares, or this one is a proxy's, whose clients have them.
  var place: AddressShares.Place?
  /// Whether its address has as many connections as it may.
  var isBeyondShare = false

  /// What it is told where it is one too many.
  var refusal: HTTPResponse {
    isBeyondShare ? .tooManyConnectionsOfAddress : .tooManyConnections
  }
}
