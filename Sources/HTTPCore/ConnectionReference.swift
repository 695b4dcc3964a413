extension HTTPExchange {
  /// The connection that a request came over, and which of its requests it is.
  package struct ConnectionReference: Sendable {
    /// The part that all requests of the connection share.
    let link: Link
    /// The client that a trusted proxy names; nil where none does.
    private let namedPeer: HTTPPeer?
    /// Whether the request is the first one on the connection.
    package let isNew: Bool
    /// The stream of the request on its connection.
    package let stream: StreamID

    /// - Parameter peer: the client that a trusted proxy names; nil for the connection's own.
    package init(
      _ link: Link, peer: HTTPPeer? = nil, isNew: Bool, stream: StreamID = StreamID(0)
    ) {
      self.link = link
      namedPeer = peer
      self.isNew = isNew
      self.stream = stream
    }

    package var number: UInt64 { link.number }
    /// The client that the request comes from; nil where it is not known.
    package var peer: HTTPPeer? { namedPeer ?? link.peer }
    /// The account of the memory that the client holds; nil where memory is not counted.
    package var memory: MemoryAccount? { link.memory }
    /// Whether the client has left, so that no more requests come over this connection. May be called at any time.
    package var hasLeft: @Sendable () -> Bool { link.hasLeft }
    /// Calls its argument once with whether the client still waits for the response to a stream; see
    /// `HTTPExchange.askPresence`.
    package var askPresence: AskPresence { link.askPresence }

    package typealias AskPresence =
      @Sendable (StreamID, @escaping @Sendable (_ isPresent: Bool) -> Void) -> Void
  }

  /// The part of a connection that its exchanges share; made once per connection.
  package final class Link: Sendable {
    fileprivate let number: UInt64
    /// The client; nil where it is not known.
    package let peer: HTTPPeer?
    fileprivate let memory: MemoryAccount?
    fileprivate let hasLeft: @Sendable () -> Bool
    fileprivate let askPresence: ConnectionReference.AskPresence
    let postpone: Postpone?
    let code: Coding?
    let deliver: Delivery

    /// Receives the parts of the response to a stream in order, on the responders' threads; must not call the exchange.
    package typealias Delivery = @Sendable (StreamID, HTTPResponsePart) -> Void

    /// - Parameters:
    ///   - postpone: implements `afterIntake`.
    ///   - code: chooses the content coding. It and the coder that it returns are called on the responders' threads, one
    ///     call at a time for each exchange.
    package init(
      number: UInt64, peer: HTTPPeer? = nil, memory: MemoryAccount? = nil,
      hasLeft: @escaping @Sendable () -> Bool,
      askPresence: @escaping ConnectionReference.AskPresence = { $1(true) },
      postpone: Postpone? = nil, code: Coding? = nil, deliver: @escaping Delivery = { _, _ in }
    ) {
      self.number = number
      self.peer = peer
      self.memory = memory
      self.hasLeft = hasLeft
      self.askPresence = askPresence
      self.postpone = postpone
      self.code = code
      self.deliver = deliver
    }
  }
}
