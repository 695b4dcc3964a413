/// Why a request gets no answer; every protocol writes it in its own way.
///
/// Each feature has an enum of its errors, with the facts, which becomes a fault (`FaultSource`).
package struct Fault: Error, Equatable, Sendable {
  /// Whose fault it is and what the client can do, for which a protocol has a status or a code.
  package enum Kind: Sendable, Equatable {
    /// The request can never be answered as it is.
    case badRequest
    /// The client has to authenticate.
    case unauthorized
    /// Authenticating would not help.
    case forbidden
    case notFound
    case methodNotAllowed
    /// The state of a session is not the one that the request expects, or another request has it.
    case conflict
    /// It existed before.
    case gone
    /// More than can ever be accepted.
    case tooLarge
    /// The answer has numbers that can't be written.
    case unprocessable
    /// More than can be accepted now.
    case tooManyRequests
    case internalError
    /// The server starts or stops.
    case unavailable
    /// The client's time was up before there was an answer.
    case timedOut
  }

  /// Facts that some protocols write beside the sentence.
  package enum Details: Sendable, Equatable {
    /// A session that is otherwise than the request says, and its steps.
    case session(id: String, steps: Int)
    /// The methods that are.
    case allowed([String])
    /// How to authenticate, as `WWW-Authenticate` says it.
    case challenge(String)
    /// A client's rate of requests, how many it may send at once, and when the next one is taken.
    case rate(perSecond: Double, burst: Int, waitMilliseconds: Int)
    /// How many requests a client may have under way.
    case concurrency(Int)
  }

  package let kind: Kind
  /// One sentence that names the field, what was found and what was expected.
  package let sentence: String
  /// The member of the body that is at fault, where there is one.
  package let parameter: String?
  /// When to come back, where that is known.
  package let retryAfterSeconds: Int?
  package let details: Details?

  package init(
    _ kind: Kind, _ sentence: String, parameter: String? = nil, retryAfterSeconds: Int? = nil,
    details: Details? = nil
  ) {
    self.kind = kind
    self.sentence = sentence
    self.parameter = parameter
    self.retryAfterSeconds = retryAfterSeconds
    self.details = details
  }
}

/// The errors of a feature: an enum whose cases carry facts, and that says what kind of fault each is, and words it.
package protocol FaultSource: Error {
  var kind: Fault.Kind { get }
  var sentence: String { get }
  var parameter: String? { get }
  var retryAfterSeconds: Int? { get }
  var details: Fault.Details? { get }
}

extension FaultSource {
  package var parameter: String? { nil }
  package var retryAfterSeconds: Int? { nil }
  package var details: Fault.Details? { nil }
}

extension Fault {
  package init(_ error: some FaultSource) {
    self.init(
      error.kind, error.sentence, parameter: error.parameter,
      retryAfterSeconds: error.retryAfterSeconds, details: error.details)
  }

  /// The seconds after which a client that was refused while the server starts or drains may try again: another process may
  /// be there then.
  package static let secondsToOtherProcess = 1
}

extension Fault: CustomStringConvertible {
  package var description: String { sentence }
}
