import Glibc
import HTTPCore

/// The transport of a connection from a proxy that speaks the PROXY protocol: that protocol's header comes first,
/// before TLS.
final class ProxiedTransport: Transport {
  private let inner: any Transport
  /// The descriptor of `inner`, which is open until `inner` is closed.
  private let number: CInt
  private let counters: ServerCounters
  /// Nil when connections per address are not limited.
  private let shares: AddressShares?
  private var header = ProxyHeader()
  private var place: AddressShares.Place?
  private var isBroken = false

  /// - Parameter number: the descriptor that `inner` has.
  init(
    _ inner: any Transport, number: CInt, counters: ServerCounters, shares: AddressShares?
  ) {
    self.inner = inner
    self.number = number
    self.counters = counters
    self.shares = shares
  }

  var clientAddress: PeerAddress? { header.source }

  func read(into buffer: inout MutableSpan<UInt8>) -> TransferResult {
    while !header.isComplete {
      let result = readHeader()
      guard case .moved = result else { return result }
    }
    return inner.read(into: &buffer)
  }

  /// Reads a part of the header, and no byte behind it.
  private func readHeader() -> TransferResult {
    guard !isBroken else { return .failed }
    var piece = [UInt8](repeating: 0, count: header.neededCount)
    // SAFETY: the kernel writes at most the array's count of bytes.
    let count = unsafe recv(number, &piece, piece.count, 0)
    guard count > 0 else {
      if count < 0 { return errno == EAGAIN || errno == EINTR ? .wouldBlock : .failed }
      // A connection that ends without a byte is a proxy that checks whether the server listens.
      return header.isEmpty ? .ended : refuse()
    }
    do throws(ProxyHeader.Failure) {
      try header.receive(piece.span.extracting(first: count))
    } catch {
      return refuse()
    }
    guard let shares, let client = header.source else { return .moved(count) }
    place = shares.take(client)
    guard place == nil else { return .moved(count) }
    isBroken = true
    counters.connectionsRefused.add(1, ordering: .relaxed)
    counters.connectionsBeyondShare.add(1, ordering: .relaxed)
    return .failed
  }

  private func refuse() -> TransferResult {
    isBroken = true
    counters.proxyHeadersRefused.add(1, ordering: .relaxed)
    return .failed
  }

  // The inner transport does the rest.

  var peer: PeerWatch { inner.peer }
  var unacknowledgedCount: Int { inner.unacknowledgedCount }
  var isHandshaking: Bool { !header.isComplete || inner.isHandshaking }
  var agreedProtocol: AgreedProtocol? { inner.agreedProtocol }
  var peerName: String? { inner.peerName }
  var heldBytes: Int { inner.heldBytes }
  var hasEndBehindInput: Bool { inner.hasEndBehindInput }
  func watch(for readiness: Poller.Readiness) -> Bool { inner.watch(for: readiness) }
  func translate(_ readiness: Poller.Readiness) -> Poller.Readiness { inner.translate(readiness) }
  func write(_ bytes: Span<UInt8>) -> TransferResult { inner.write(bytes) }
  func endOutput() { inner.endOutput() }
  func close() {
    isBroken = true
    inner.close()
  }
}
