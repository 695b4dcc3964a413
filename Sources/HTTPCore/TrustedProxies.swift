/// The proxies that are trusted to name the client of a request.
package struct TrustedProxies: Sendable, Equatable {
  /// The field in which they name it.
  package enum Field: String, Sendable, CaseIterable {
    /// Either field. A request whose two fields name different clients is refused: a proxy that sets only one of them
    /// passes the other on as its client wrote it.
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

  /// The error for a request whose two fields name different clients.
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

  /// The client of `request`, which came from `peer`: the last address in the field that is not a trusted proxy's.
  ///
  /// The field is read from its end, since each proxy appends the address that it was called from; whatever stands
  /// before an address that is not trusted is only that client's claim. An element that is no address (`unknown`,
  /// `_hidden`, garbage) ends the search: the proxy that wrote it counts as the client.
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

  /// The last address in the fields called `name` that is not a trusted proxy's; nil where there is no such field.
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
