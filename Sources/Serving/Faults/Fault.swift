/// Why a request gets no answer. Each protocol encodes faults in its own way.
///
/// A feature has an enum of its errors (`FaultSource`), from which faults are made.
package struct Fault: Error, Equatable, Sendable {
  /// The kind of fault, which a protocol maps to a status or a code.
  package enum Kind: Sendable, Equatable {
    /// The request is wrong: it can never be answered as it is.
    case badRequest
    /// The client has to authenticate.
    case unauthorized
    /// The client may not do this, whether authenticated or not.
    case forbidden
    case notFound
    case methodNotAllowed
    /// A session's state is not the one that the request expects, or another request uses the session.
    case conflict
    /// What the request asks for existed before, and is gone.
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

  /// Facts that some protocols encode beside the sentence.
  package enum Details: Sendable, Equatable {
    /// A session that differs from what the request says, and the session's steps.
    case session(id: String, steps: Int)
    /// The methods that the path allows.
    case allowed([String])
    /// How to authenticate: the value of `WWW-Authenticate`.
    case challenge(String)
    /// The client's limit of requests a second, its burst, and when the next request will be accepted.
    case rate(perSecond: Double, burst: Int, waitMilliseconds: Int)
    /// The most requests that the client may have under way.
    case concurrency(Int)
  }

  package let kind: Kind
  /// One sentence that names the field, what was found and what was expected.
  package let sentence: String
  /// The member of the body at fault; nil where there is none.
  package let parameter: String?
  /// When the client should try again; nil where that is unknown.
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

/// The errors of a feature: an enum whose cases carry facts; it gives each its kind and its sentence.
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

  /// When a client that was refused during start or drain should try again: another process may serve by then.
  package static let secondsToOtherProcess = 1
}

extension Fault: CustomStringConvertible {
  package var description: String { sentence }
}
