/// Whether the service takes requests, as `/readyz` tells load balancers.
package enum Readiness: UInt8, Sendable, Equatable {
  /// Models are still being loaded.
  case starting
  case ready
  /// The service is about to stop: what it has is answered, nothing new should come.
  case draining
}
