/// When riders that were admitted begin to ride, and which thread computes them. The engine starts them: a caller can't forget
/// to.
package struct Departure {
  /// Keeps an action until the caller's thread has handed over all requests that came together, and then calls it with whether
  /// the thread is idle.
  package typealias Postpone = (_ action: @escaping @Sendable (_ isIdle: Bool) -> Void) -> Void

  /// Nil for at once.
  let postpone: Postpone?

  /// Workers begin at once.
  package static var atOnce: Departure { Departure(postpone: nil) }

  /// Workers begin when `postpone` calls the action. A rider that is alone then, and short, is computed by the calling thread
  /// where that is idle: this saves two hops from thread to thread.
  package static func postponed(by postpone: @escaping Postpone) -> Departure {
    Departure(postpone: postpone)
  }

  /// The most that a rider may cost which an idle thread computes itself: a hop to a worker and back costs a tenth of it.
  static let secondsHere = 0.001

  /// Whether the thread that brought a rider computes it: one alone, of few steps, whose cost is known and small.
  static func isShort(_ journey: Journey, turnSteps: Int, costs: TurnCosts) -> Bool {
    journey.following == 0 && journey.steps <= turnSteps && costs.isKnown(riders: 1)
      && costs.seconds(oneOf: 1, steps: journey.steps, workers: 1, seats: 1) <= secondsHere
  }
}
