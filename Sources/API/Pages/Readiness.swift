import Synchronization

/// Whether the service accepts requests, as `/readyz` tells load balancers.
package enum Readiness: UInt8, Sendable, Equatable {
  /// Models are still being loaded.
  case starting
  case ready
  /// The service is about to stop: requests that it has are answered, and no new ones should be sent.
  case draining
}

/// The readiness of a service, which any thread may read and set.
final class ReadinessState: Sendable {
  private let rawValue = Atomic<UInt8>(Readiness.starting.rawValue)

  var value: Readiness { Readiness(rawValue: rawValue.load(ordering: .relaxed)) ?? .starting }

  func set(_ readiness: Readiness) { rawValue.store(readiness.rawValue, ordering: .relaxed) }
}
