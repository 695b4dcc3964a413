import HTTPCore

/// The bodies that a loop holds, and what happens where they are too many.
extension EventLoop {
  /// Brings the loop's count of what bodies take up to date with `connection`.
  func recount(_ connection: Connection) {
    let bytes = connection.isOpen ? connection.heldBytes : 0
    let growth = bytes - connection.countedBytes
    guard growth != 0 else { return }
    connection.countedBytes = bytes
    heldBytes += growth
    counters.bodyBytesHeld.add(growth, ordering: .relaxed)
  }

  /// Whether there is room for what is held. The largest body that is under way makes room for the
  /// others: whoever sends slowly to fill the server loses, not who asks a short question. And no
  /// loop loses its share to another.
  func makeRoom() -> Bool {
    while heldBytes > shareOfBuffers,
      counters.bodyBytesHeld.load(ordering: .relaxed) > settings.maxBufferedBytes
    {
      let largest = connections.all.max { $0.wire.incompleteBytes < $1.wire.incompleteBytes }
      guard let largest, largest.wire.incompleteBytes > 0 else { return false }
      largest.wire.refuseLargestBody(.full, date: clock.date)
      recount(largest)
      unsettle(largest)
    }
    return true
  }
}

extension HTTPResponse {
  /// What a request gets whose body the server has no room for.
  static var full: HTTPResponse {
    var response = error(
      .tooManyRequests,
      "the server holds as much of request bodies as max_buffered_bytes allows, try again later")
    response.fields.append("retry-after", "1")
    return response
  }
}
