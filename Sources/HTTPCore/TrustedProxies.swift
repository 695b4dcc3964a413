/// The proxies that are believed when they say whom a request comes from.
package struct TrustedProxies: Sendable, Equatable {
  /// Which field they say it in.
  package enum Field: String, Sendable, CaseIterable {
    /// Either; a request in which the two tell different clients is refused, since a proxy that knows one of them passes on what
    /// its client wrote into the other.
    case any
    case forwardedFor = "x-forwarded-for"
    /// RFC 7239.
    case forwarded
  }

  package var blocks: [NetworkBlock]
  package var field: Field

  package init(_ blocks: [NetworkBlock] = [], field: Field = .any) {
    self.blocks = blocks
    self.field = field
  }

  /// Two fields of a request that tell different clients.
  package struct Conflict: Error, Equatable {
    let forwardedFor: PeerAddress
    let forwarded: PeerAddress

    package var response: HTTPResponse {
      .error(
        .badRequest,
        "x-forwarded-for says that the client is \(forwardedFor), and forwarded that it is \(forwarded), expected one client; forwarded_field of the server says which field counts"
      )
    }
  }

  package func contains(_ address: PeerAddress) -> Bool {
    blocks.contains { $0.contains(address) }
  }

  /// The client of `request`, which came from `peer`: the last address of its field that is no trusted proxy's.
  ///
  /// From the end, as each proxy adds whom it was asked by; what stands before an address that is not trusted is what that one
  /// claims. What is no address (`unknown`, `_hidden`, garbage) ends the search: the proxy that wrote it stands for its client.
  package func client(of request: HTTPRequest, from peer: HTTPPeer) throws(Conflict) -> HTTPPeer {
    guard !blocks.isEmpty, contains(peer.address) else { return peer }
    let forwardedFor =
      field == .forwarded ? nil : last(of: request, "x-forwarded-for", from: peer.address)
    let forwarded =
      field == .forwardedFor ? nil : last(of: request, "forwarded", from: peer.address)
    if let forwardedFor, let forwarded, forwardedFor.bytes != forwarded.bytes {
      throw Conflict(forwardedFor: forwardedFor, forwarded: forwarded)
    }
    guard let client = forwardedFor ?? forwarded, client != peer.address else { return peer }
    return HTTPPeer(address: client)
  }

  /// The last address in the fields called `name` that is no trusted proxy's; nil where there is no such field.
  private func last(
    of request: HTTPRequest, _ name: String, from proxy: PeerAddress
  ) -> PeerAddress? {
    let values = request.fields.values(of: name)
    guard !values.isEmpty else { return nil }
    var address = proxy
    for value in values.reversed() {
      var list = ForwardedList(value, hasParameters: name == "forwarded")
      while contains(address), let node = list.popLast() {
        guard let next = node.address else { return address }
        address = next
      }
      guard contains(address) else { break }
    }
    return address
  }
}
