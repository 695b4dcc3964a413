extension HTTPExchange {
  /// Tells a connection from others of the server.
  package struct ConnectionReference: Sendable {
    /// What all requests of the connection share.
    private let link: Link
    /// Whom the request comes from; nil where that is not known.
    package let peer: HTTPPeer?
    /// Whether the request is the first that came over it.
    package let isNew: Bool
    /// Which of its requests this one is.
    package let stream: StreamID

    package init(
      _ link: Link, peer: HTTPPeer? = nil, isNew: Bool, stream: StreamID = StreamID(0)
    ) {
      self.link = link
      self.peer = peer
      self.isNew = isNew
      self.stream = stream
    }

    package var number: UInt64 { link.number }
    /// Counts the memory that is held for its client; nil where none is counted.
    package var memory: MemoryAccount? { link.memory }
    /// Whether its client has left, so that no more requests come over it; may be asked at any time.
    package var hasLeft: @Sendable () -> Bool { link.hasLeft }
    /// Calls its argument once with whether the client still waits for the answer to the request of a stream: for
    /// `HTTPExchange.askPresence`.
    package var askPresence: AskPresence { link.askPresence }

    package typealias AskPresence =
      @Sendable (StreamID, @escaping @Sendable (_ isPresent: Bool) -> Void) -> Void
  }

  /// A connection as its exchanges know it, made once for all of them.
  package final class Link: Sendable {
    fileprivate let number: UInt64
    fileprivate let memory: MemoryAccount?
    fileprivate let hasLeft: @Sendable () -> Bool
    fileprivate let askPresence: ConnectionReference.AskPresence

    package init(
      number: UInt64, memory: MemoryAccount? = nil, hasLeft: @escaping @Sendable () -> Bool,
      askPresence: @escaping ConnectionReference.AskPresence = { $1(true) }
    ) {
      self.number = number
      self.memory = memory
      self.hasLeft = hasLeft
      self.askPresence = askPresence
    }
  }
}
