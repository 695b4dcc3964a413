import Dispatch
import Inference
import Synchronization

@testable import Scheduling

/// The tokens that a text came to, and how it ended.
typealias Reading = (tokens: [Int32?], result: Result<[Prediction], Refusal>)

/// Reads a text token by token, at its own pace.
final class TextReader: Sendable {
  enum Reply: Sendable {
    case goOn, wait, stop
    /// Replies `.wait`, and resumes from another thread.
    case pause
    /// Resumes, and then replies `.wait`.
    case resumeAtOnce
    /// Cancels from another thread, and goes on.
    case leave
  }

  private struct State {
    var tokens: [Int32?] = []
    var reply: @Sendable (Int) -> Reply = { _ in .stop }
    var ticket: Engine.Ticket?
    /// Resumptions and cancellations from before there was a ticket.
    var early: [@Sendable (Engine.Ticket) -> Void] = []
  }

  private let engine: Engine
  private let state = Mutex(State())

  init(_ engine: Engine) { self.engine = engine }

  /// What it says to the n-th token.
  var reply: @Sendable (Int) -> Reply {
    get { state.withLock { $0.reply } }
    set { state.withLock { $0.reply = newValue } }
  }

  var tokens: [Int32?] { state.withLock { $0.tokens } }

  func resume() { withTicket { [engine] in engine.resume($0) } }

  func cancel() { withTicket { [engine] in engine.cancel($0) } }

  /// At once, or as soon as there is a ticket.
  private func withTicket(_ action: @escaping @Sendable (Engine.Ticket) -> Void) {
    let ticket = state.withLock { state in
      if state.ticket == nil { state.early.append(action) }
      return state.ticket
    }
    if let ticket { action(ticket) }
  }

  private func take(_ token: Int32?) -> TokenReply {
    let (reply, count) = state.withLock { state in
      state.tokens.append(token)
      return (state.reply, state.tokens.count)
    }
    switch reply(count) {
    case .goOn: return .goOn
    case .wait: return .wait
    case .stop: return .stop
    case .pause:
      DispatchQueue.global().async { self.resume() }
      return .wait
    case .resumeAtOnce:
      resume()
      return .wait
    case .leave:
      DispatchQueue.global().async { self.cancel() }
      return .goOn
    }
  }

  func read(
    _ prompt: InputSequence, _ sampling: Sampling, maxSteps: Int, timeout: Duration? = nil
  ) async -> Reading {
    await read { completion in
      engine.generate(
        prompt, sampling: sampling, maxSteps: maxSteps, terms: RideTerms(timeout: timeout),
        reader: { self.take($0) }, completion: completion)
    }
  }

  /// Likewise, what a decoder makes of a sequence.
  func decode(_ sequence: InputSequence, _ decoding: Decoding) async -> Reading {
    await read { completion in
      engine.decode(
        sequence, decoding, terms: RideTerms(), reader: { self.take($0) }, completion: completion)
    }
  }

  private func read(
    _ start: (@escaping @Sendable (Result<[Prediction], Refusal>) -> Void) -> Engine.Ticket
  ) async -> Reading {
    let result = await withCheckedContinuation { continuation in
      let ticket = start { continuation.resume(returning: $0) }
      let early = state.withLock { state in
        state.ticket = ticket
        defer { state.early = [] }
        return state.early
      }
      for action in early { action(ticket) }
    }
    return (tokens, result)
  }
}
