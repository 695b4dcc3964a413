extension HTTPExchange {
  /// Tells a connection from others of the server.
  package struct ConnectionReference: Sendable {
    package let number: UInt64
    /// The peer; nil where it is not known.
    package let peer: HTTPPeer?
    /// Counts the memory that is held for its client; nil where none is counted.
    package let memory: MemoryAccount?
    /// Whether the request is the first that came over it.
    package let isNew: Bool
    /// Whether its client has left, so that no more requests come over it; may be asked at any time.
    package let hasLeft: @Sendable () -> Bool
    /// Which of its requests this one is.
    package let stream: StreamID
    /// Calls its argument once with whether the client still waits for the answer to the request of a stream: for
    /// `HTTPExchange.askPresence`.
    package let askPresence: AskPresence

    package typealias AskPresence =
      @Sendable (StreamID, @escaping @Sendable (_ isPresent: Bool) -> Void) -> Void

    package init(
      number: UInt64, peer: HTTPPeer? = nil, memory: MemoryAccount? = nil, isNew: Bool,
      hasLeft: @escaping @Sendable () -> Bool,
      stream: StreamID = StreamID(0), askPresence: @escaping AskPresence = { $1(true) }
    ) {
      self.stream = stream
      self.number = number
      self.peer = peer
      self.memory = memory
      self.isNew = isNew
      self.hasLeft = hasLeft
      self.askPresence = askPresence
    }
  }
}
